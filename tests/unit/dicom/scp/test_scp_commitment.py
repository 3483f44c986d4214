"""Storage commitment as the node reports it."""

from __future__ import annotations

import threading

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.sop_class import (
    StorageCommitmentPushModel,
)

from medcam.dicom.network.commitment import (
    CommitmentError,
    CommitmentReport,
    Reference,
    report_to,
)
from medcam.dicom.network.destination import DimseDestination

from .calling import CR, associate, caller, film, store

# The calling side of these tests is pynetdicom's: it leaves the socket of a refused or aborted association to the
# garbage collector, whose warning then falls on whatever test is running.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


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
