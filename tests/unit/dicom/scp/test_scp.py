"""The node's ear, spoken to over loopback: what it takes, what it refuses and how it says so."""

from __future__ import annotations

import hashlib
import socket

import pytest
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.sop_class import (
    ComputedRadiographyImageStorage,
    CTImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
    EncapsulatedPDFStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
    Verification,
)

from medcam.core.errors import MedcamError, UsageError
from medcam.dicom.network.scp import OutOfResourcesError, StorageScp
from medcam.dicom.network.scp_settings import ScpSettings

from .calling import CR, associate, caller, film, store

# The calling side of these tests is pynetdicom's: it leaves the socket of a refused or aborted association to the
# garbage collector, whose warning then falls on whatever test is running.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


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
