"""The node's ear, spoken to over loopback: what it takes, what it refuses and how it says so."""

from __future__ import annotations

import gc
import hashlib
import socket
import struct
import threading
import time
import warnings

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.sop_class import (
    ComputedRadiographyImageStorage,
    CTImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
    EncapsulatedPDFStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
    StorageCommitmentPushModel,
    Verification,
)

from medcam.core.errors import MedcamError, UsageError
from medcam.dicom.network.commitment import (
    CommitmentError,
    CommitmentReport,
    Fault,
    Reference,
    report_to,
)
from medcam.dicom.network.destination import DimseDestination
from medcam.dicom.network.scp import OutOfResourcesError, StorageScp
from medcam.dicom.network.scp_settings import ScpSettings

# The calling side of these tests is pynetdicom's: it leaves the socket of a refused or aborted association to the
# garbage collector, whose warning then falls on whatever test is running.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@pytest.fixture(autouse=True, scope="module")
def _callers_are_collected_here():
    """Collects what the callers left open, so that no later module is blamed for it."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


CR = str(ComputedRadiographyImageStorage)


class Keeper:
    """An owner that keeps objects in memory."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.studies: dict[str, str] = {}
        self.callers: set[str] = set()
        self.events: list[str] = []
        self.error: Exception | None = None
        self.later: list[object] = []
        self.reports_itself = False

    def take(self, received):
        if self.error is not None:
            raise self.error
        self.objects[received.sop_instance_uid] = received.file_header() + bytes(received.data)
        self.studies[received.sop_instance_uid] = received.study_instance_uid
        self.callers.add(received.calling_aet)

    def commit_later(self, request):
        self.later.append(request)
        return self.reports_itself

    def commit(self, request):
        kept = tuple(one for one in request.references if one.sop_instance_uid in self.objects)
        failed = tuple((one, Fault.NO_SUCH_OBJECT) for one in request.references if one not in kept)
        return CommitmentReport(request.transaction_uid, kept, failed)

    def notice(self, event):
        self.events.append(event)


@pytest.fixture
def keeper():
    return Keeper()


@pytest.fixture
def listen(keeper):
    """Starts a listener with options and returns it."""
    started = []

    def start(**options) -> StorageScp:
        scp = StorageScp(ScpSettings(aet="NODE", port=0, **options), keeper)
        scp.start()
        started.append(scp)
        return scp

    yield start
    for scp in started:
        scp.stop()


def film(number: int = 1, pixels: int = 64) -> Dataset:
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = CR, f"2.25.{number}"
    made.StudyInstanceUID, made.SeriesInstanceUID = "2.25.77", "2.25.78"
    made.PatientName, made.Modality = "DOE^JANE", "CR"
    item = Dataset()
    item.StudyInstanceUID = "2.25.666"
    made.ReferencedStudySequence = [item]
    made.Rows = made.Columns = 8
    made.PixelData = bytes(pixels)
    made["PixelData"].VR = "OW"
    made.file_meta = _meta()
    return made


def _meta():
    from pydicom.dataset import FileMetaDataset

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return meta


def caller(*classes, title: str = "MODALITY", syntax=ExplicitVRLittleEndian) -> AE:
    entity = AE(ae_title=title)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 20
    for sop_class in classes or (CR,):
        entity.add_requested_context(sop_class, syntax)
    return entity


def associate(scp: StorageScp, entity: AE, called: str = "NODE", **options):
    return entity.associate("127.0.0.1", scp.port, ae_title=called, **options)


def store(scp: StorageScp, sent: Dataset, **options) -> Dataset:
    association = associate(scp, caller(**options))
    assert association.is_established
    status = association.send_c_store(sent)
    association.release()
    return status


def test_echo(listen):
    association = associate(listen(), caller(Verification))
    assert association.send_c_echo().Status == 0
    association.release()


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_an_object_is_taken_as_it_was_sent(listen, keeper, tmp_path, syntax):
    sent = film()
    sent.file_meta.TransferSyntaxUID = syntax
    assert store(listen(), sent, syntax=syntax).Status == 0

    path = tmp_path / "kept.dcm"
    path.write_bytes(keeper.objects["2.25.1"])
    kept = dcmread(path)
    assert kept == sent
    assert kept.preamble == bytes(128)
    assert kept.file_meta.TransferSyntaxUID == syntax
    assert kept.file_meta.MediaStorageSOPInstanceUID == "2.25.1"
    assert b"MODALITY" not in keeper.objects["2.25.1"]
    assert keeper.studies == {"2.25.1": "2.25.77"}
    assert keeper.callers == {"MODALITY"}


def test_modalities_classes_and_syntaxes_are_taken(listen):
    classes = [
        ComputedRadiographyImageStorage,
        DigitalXRayImageStorageForPresentation,
        DigitalXRayImageStorageForProcessing,
        SecondaryCaptureImageStorage,
        MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
        CTImageStorage,
        EncapsulatedPDFStorage,
    ]
    syntaxes = [f"1.2.840.10008.1.2{rest}" for rest in (".4.51", ".4.70", ".4.80", ".4.90", ".5", ".1.99", ".2", "")]
    entity = AE(ae_title="MODALITY")
    for sop_class in classes:
        for syntax in syntaxes:
            entity.add_requested_context(sop_class, syntax)
    jpip = AE(ae_title="MODALITY")
    jpip.add_requested_context(CR, "1.2.840.10008.1.2.4.94")
    scp = listen()
    for sop_class in classes:
        one = AE(ae_title="MODALITY")
        one.requested_contexts = [
            context for context in entity.requested_contexts if context.abstract_syntax == sop_class
        ]
        association = associate(scp, one)
        assert len(association.accepted_contexts) == len(one.requested_contexts), sop_class
        association.release()
    assert not associate(scp, jpip).accepted_contexts


@pytest.mark.parametrize(
    ("error", "status"),
    [(OutOfResourcesError("the quota is used up"), 0xA700), (MedcamError("no"), 0x0110), (OSError("no"), 0x0110)],
)
def test_what_is_not_kept_is_not_acknowledged(listen, keeper, error, status):
    keeper.error = error
    assert store(listen(), film()).Status == status
    assert "refused-object" in keeper.events


def test_too_large_an_object_is_refused_and_the_next_one_is_taken(listen, keeper):
    scp = listen(largest_object=1 << 20)
    association = associate(scp, caller())
    answer = association.send_c_store(film(1, pixels=4 << 20))
    assert (answer.Status, answer.ErrorComment) == (0xA700, "the object is over the limit of size")
    assert association.send_c_store(film(2)).Status == 0
    association.release()
    assert set(keeper.objects) == {"2.25.2"}


def test_an_instance_uid_of_other_characters_is_refused(listen, keeper):
    association = associate(listen(), caller())
    sent = film()
    sent.SOPInstanceUID = "../../etc/passwd"
    assert association.send_c_store(sent).Status == 0x0117
    association.release()
    assert keeper.objects == {}


def test_callers_and_names_are_checked(listen):
    scp = listen(allowed_aets=("MODALITY",))
    assert associate(scp, caller()).is_established
    assert associate(scp, caller(title="STRANGER")).is_rejected
    assert associate(scp, caller(), called="OTHER").is_rejected


def test_hosts_are_checked_before_a_byte_is_read(listen, keeper):
    scp = listen(allowed_hosts=("192.0.2.0/24",))
    association = associate(scp, caller())
    assert not association.is_established
    assert "refused-host" in keeper.events
    assert associate(listen(allowed_hosts=("127.0.0.1",)), caller()).is_established


def test_by_default_this_computer_alone_may_call():
    assert ScpSettings("NODE", 0).networks() is not None
    assert ScpSettings("NODE", 0, host="0.0.0.0").networks() is None


def test_associations_are_counted(listen):
    scp = listen(max_associations=1)
    first = associate(scp, caller())
    assert first.is_established
    assert associate(scp, caller()).is_rejected
    first.release()


def raw(scp: StorageScp) -> socket.socket:
    return socket.create_connection(("127.0.0.1", scp.port), timeout=20)


def test_a_pdu_of_four_gigabytes_is_not_waited_for(listen):
    scp = listen()
    with raw(scp) as peer:
        peer.sendall(struct.pack(">BBL", 1, 0, 0xFFFFFFFE) + bytes(1000))
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                peer.sendall(bytes(1000))
            except OSError:
                break
            time.sleep(0.01)
        else:
            pytest.fail("the node goes on reading")
    assert associate(scp, caller()).is_established


def test_silence_is_not_listened_to_for_ever(listen):
    scp = listen(network_timeout_s=0.5)
    with raw(scp) as peer:
        assert peer.recv(1) in (b"", b"\x07")


@pytest.mark.parametrize(
    "garbage", [b"GET / HTTP/1.1\r\n\r\n", b"\x04\x00\x00\x00\x00\x06\x00\x00\x00\x02\x01\x03", b"\xff" * 64]
)
def test_garbage_ends_its_own_connection_alone(listen, garbage):
    scp = listen()
    with raw(scp) as peer:
        peer.sendall(garbage)
    assert associate(scp, caller()).is_established


def request(association, references, transaction="2.25.5") -> int:
    wanted = Dataset()
    wanted.TransactionUID = transaction
    wanted.ReferencedSOPSequence = []
    for sop_class, instance in references:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, instance
        wanted.ReferencedSOPSequence.append(item)
    status, _ = association.send_n_action(wanted, 1, StorageCommitmentPushModel, "1.2.840.10008.1.20.1.1")
    return status.Status


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_commitment_is_reported_over_the_same_association(listen, keeper, syntax):
    scp, reports, told = listen(), [], threading.Event()

    def report(event):
        reports.append((event.event_type, event.event_information))
        told.set()
        return 0x0000, None

    store(scp, film(1))
    association = associate(
        scp, caller(StorageCommitmentPushModel, syntax=syntax), evt_handlers=[(evt.EVT_N_EVENT_REPORT, report)]
    )
    assert request(association, [(CR, "2.25.1"), (CR, "2.25.9")]) == 0
    assert told.wait(20)
    association.release()
    ((kind, information),) = reports
    assert kind == 2
    assert information.TransactionUID == "2.25.5"
    assert [item.ReferencedSOPInstanceUID for item in information.ReferencedSOPSequence] == ["2.25.1"]
    (failed,) = information.FailedSOPSequence
    assert (failed.ReferencedSOPInstanceUID, failed.FailureReason) == ("2.25.9", 0x0112)


@pytest.mark.parametrize("references", [[], [(CR, "not a uid")]])
def test_a_commitment_of_nothing_is_an_invalid_argument(listen, keeper, references):
    association = associate(listen(), caller(StorageCommitmentPushModel))
    assert request(association, references) == 0x0115
    association.release()
    assert keeper.later == []


def test_a_report_by_an_association_of_its_own(listen, keeper):
    keeper.reports_itself = True
    scp, reports = listen(), []
    association = associate(scp, caller(StorageCommitmentPushModel))
    assert request(association, [(CR, "2.25.1")]) == 0
    association.release()
    (asked,) = keeper.later
    assert (asked.transaction_uid, asked.calling_aet) == ("2.25.5", "MODALITY")

    def report(event):
        reports.append((event.event_type, str(event.event_information.TransactionUID)))
        return 0x0000, None

    entity = AE(ae_title="MODALITY")
    entity.add_supported_context(StorageCommitmentPushModel, scu_role=True, scp_role=True)
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, report)])
    peer = DimseDestination("MODALITY", "127.0.0.1", server.server_address[1])
    answer = CommitmentReport(asked.transaction_uid, (Reference(CR, "2.25.1"),))
    try:
        report_to(peer, "NODE", answer, timeout_s=20)
    finally:
        server.shutdown()
    assert reports == [(1, "2.25.5")]
    with pytest.raises(CommitmentError):
        report_to(peer, "NODE", answer, timeout_s=2)


def test_stopping_lets_nobody_in_any_more(listen):
    scp = listen()
    assert scp.listening
    port = scp.port
    scp.stop()
    assert not scp.listening
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_a_port_that_is_taken_is_told(listen, keeper):
    taken = listen().port
    with pytest.raises(UsageError) as caught:
        StorageScp(ScpSettings("NODE", taken), keeper).start()
    assert caught.value.code == "port-unavailable"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"aet": "SEVENTEEN_LETTERS"}, "bad-ae-title"),
        ({"allowed_aets": ("A\\B",)}, "bad-ae-title"),
        ({"allowed_hosts": ("pacs.example",)}, "bad-host"),
        ({"port": 70000}, "usage"),
        ({"max_pdu": 1}, "usage"),
        ({"largest_object": 0}, "usage"),
    ],
)
def test_settings_are_checked(wrong, code):
    with pytest.raises(UsageError) as caught:
        ScpSettings(**{"aet": "NODE", "port": 0, **wrong})
    assert caught.value.code == code


def test_the_same_object_makes_the_same_file(listen, keeper):
    scp, digests = listen(), set()
    for title in ("ONE", "TWO"):
        store(scp, film(), title=title)
        digests.add(hashlib.sha256(keeper.objects["2.25.1"]).hexdigest())
    assert len(digests) == 1
