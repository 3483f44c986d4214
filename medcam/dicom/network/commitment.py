"""Storage commitment, push model, as a provider (DICOM PS3.4 annex J): a promise that objects are kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from pydicom.dataset import Dataset
from pydicom.uid import UID
from pynetdicom import build_role
from pynetdicom.ae import ApplicationEntity
from pynetdicom.association import Association

from medcam.core.errors import MedcamError
from medcam.dicom.errors import LIBRARY_ERRORS
from medcam.dicom.network.destination import DimseDestination
from medcam.dicom.network.elements import REFERENCED_SOP_SEQUENCE, walk
from medcam.dicom.network.received import is_usable_uid

PUSH_MODEL = "1.2.840.10008.1.20.1"
PUSH_MODEL_INSTANCE = "1.2.840.10008.1.20.1.1"
_TRANSACTION_UID, _SOP_CLASS_UID, _SOP_INSTANCE_UID = 0x00081195, 0x00081150, 0x00081155
_ALL_KEPT, _SOME_MISSING = 1, 2


class CommitmentError(MedcamError):
    """A peer did not take the report on what it asked to have committed. It is worth another attempt."""

    default_code = "commitment-not-reported"
    default_next_step = "Check the address in --peer, and that the peer listens there."


class Fault(IntEnum):
    """Failure Reason (0008,1197) of an object that is not committed (PS3.3 C.14.1.1)."""

    PROCESSING_FAILURE = 0x0110
    NO_SUCH_OBJECT = 0x0112
    CLASS_CONFLICT = 0x0119


@dataclass(frozen=True, slots=True)
class Reference:
    """An object that is to be committed."""

    sop_class_uid: str
    sop_instance_uid: str


@dataclass(frozen=True, slots=True)
class CommitmentRequest:
    """What a peer wants to have committed.

    Args:
        transaction_uid: By which the peer recognises the report.
        references: The objects.
        calling_aet: Who asks.
    """

    transaction_uid: str
    references: tuple[Reference, ...]
    calling_aet: str


@dataclass(frozen=True, slots=True)
class CommitmentReport:
    """What is kept and what is not.

    Args:
        transaction_uid: Of the request.
        kept: Objects that are committed.
        failed: Objects that are not, with the reason.
    """

    transaction_uid: str
    kept: tuple[Reference, ...]
    failed: tuple[tuple[Reference, Fault], ...] = ()


def read_request(data: memoryview, transfer_syntax: str, calling_aet: str) -> CommitmentRequest | None:
    """Reads the action information of N-ACTION; None where it names no transaction or no valid reference."""
    transaction, pairs = "", []
    current: dict[int, str] = {}
    for element in walk(data, transfer_syntax, frozenset((REFERENCED_SOP_SEQUENCE,))):
        if element.depth == 0 and element.tag == _TRANSACTION_UID:
            transaction = element.text
        elif element.depth == 1 and element.tag in (_SOP_CLASS_UID, _SOP_INSTANCE_UID):
            current[element.tag] = element.text
            if len(current) == 2:
                pairs.append(Reference(current[_SOP_CLASS_UID], current[_SOP_INSTANCE_UID]))
                current = {}
    valid = all(is_usable_uid(pair.sop_class_uid) and is_usable_uid(pair.sop_instance_uid) for pair in pairs)
    if not pairs or not valid or not is_usable_uid(transaction):
        return None
    return CommitmentRequest(transaction, tuple(dict.fromkeys(pairs)), calling_aet)


def send_report(association: Association, report: CommitmentReport) -> None:
    """Sends N-EVENT-REPORT over an association.

    Raises:
        CommitmentError: The peer did not answer, or not with success.
    """
    event = _SOME_MISSING if report.failed else _ALL_KEPT
    try:
        status, _ = association.send_n_event_report(_event_information(report), event, PUSH_MODEL, PUSH_MODEL_INSTANCE)
        code = status.get("Status", 0x0110) if status else 0x0110
    except LIBRARY_ERRORS as error:
        raise CommitmentError(f"the report on a storage commitment was not sent ({type(error).__name__})") from error
    if code != 0x0000:
        raise CommitmentError(f"the peer refuses the report on a storage commitment (status 0x{code:04X})")


def report_to(peer: DimseDestination, aet: str, report: CommitmentReport, timeout_s: float = 30.0) -> None:
    """Opens an association to a peer and sends it a report.

    Args:
        peer: Where it listens.
        aet: Our AE title.
        report: What to say.
        timeout_s: Seconds that the peer may be silent.

    Raises:
        CommitmentError: The peer does not answer, or does not take the report.
    """
    entity = ApplicationEntity(ae_title=aet)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = entity.connection_timeout = timeout_s
    entity.add_requested_context(PUSH_MODEL)
    # The one that asked is the user, although it is called here (PS3.4 J.3.3).
    role = build_role(UID(PUSH_MODEL), scp_role=True)
    association = entity.associate(peer.host, peer.port, ae_title=peer.ae_title, ext_neg=[role])
    if not association.is_established:
        raise CommitmentError("the peer that asked for a storage commitment does not answer")
    try:
        send_report(association, report)
    finally:
        association.release()


def _event_information(report: CommitmentReport) -> Dataset:
    information = Dataset()
    information.TransactionUID = report.transaction_uid
    if report.kept:
        information.ReferencedSOPSequence = _items((reference, None) for reference in report.kept)
    if report.failed:
        information.FailedSOPSequence = _items(report.failed)
    return information


def _items(references: Iterable[tuple[Reference, Fault | None]]) -> Sequence[Dataset]:
    items = []
    for reference, fault in references:
        item = Dataset()
        item.ReferencedSOPClassUID = reference.sop_class_uid
        item.ReferencedSOPInstanceUID = reference.sop_instance_uid
        if fault is not None:
            item.FailureReason = int(fault)
        items.append(item)
    return items
