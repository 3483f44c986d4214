"""C-STORE as a user: an association, and file after file over it (DICOM PS3.4 annex B, PS3.7 section 9.1.1)."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, _config, build_context, evt
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext

from medcam.dicom.errors import LIBRARY_ERRORS
from medcam.dicom.network.delivery import Delivery, Parcel
from medcam.dicom.network.destination import DimseDestination
from medcam.dicom.network.security import Security
from medcam.dicom.quiet import quiet

# A file that is sent by its path then goes out as it lies on disk, in pieces, instead of decoded and encoded anew.
_config.STORE_SEND_CHUNKED_DATASET = True

UNCOMPRESSED = (str(ExplicitVRLittleEndian), str(ImplicitVRLittleEndian))
MOST_CONTEXTS = 128
"""Presentation contexts of an association: their ids are the odd numbers below 256 (PS3.8 section 9.3.2.2)."""

CLOSES_WITHIN_S = 2.0

_STORED = (0x0000, 0x0111)  # 0111: duplicate SOP instance, so it is there
_PERMANENT = {
    0x0117: "invalid SOP instance",
    0x0122: "SOP class not supported",
    0x0124: "not authorised",
    0x0211: "unrecognised operation",
    0x0212: "mistyped argument",
}


class _Trouble(NamedTuple):
    """Why an association did not come about."""

    code: str
    detail: str


def store(destination: DimseDestination, parcels: Sequence[Parcel], security: Security) -> list[Delivery]:
    """Sends files by C-STORE, each once.

    A peer is offered every SOP class in the file's own transfer syntax and, in another presentation context, without
    compression. The bytes on disk are sent as they are wherever the peer takes their transfer syntax; where it does
    not, the data set is sent decompressed, with the same UID.

    Args:
        destination: To whom.
        parcels: What.
        security: Who calls, and whether over TLS.

    Returns:
        What became of each, in order. When the association breaks, the rest has failed.

    Raises:
        UsageError: Certificate or key cannot be used (code `bad-certificate`).
    """
    tls = (security.ssl_context(), destination.host) if security.tls else None
    return [delivery for group in _groups(parcels) for delivery in _store_group(destination, group, security, tls)]


def _groups(parcels: Iterable[Parcel]) -> Iterator[list[Parcel]]:
    """Cuts the list where an association would need too many presentation contexts."""
    group: list[Parcel] = []
    kinds: set[tuple[str, str]] = set()
    for parcel in parcels:
        needed = kinds | _kinds(parcel)
        if len(needed) > MOST_CONTEXTS:
            yield group
            group, needed = [], _kinds(parcel)
        group.append(parcel)
        kinds = needed
    if group:
        yield group


def _kinds(parcel: Parcel) -> set[tuple[str, str]]:
    """Pairs of SOP class and transfer syntax; one context each, since a peer chooses one syntax per context."""
    return {(parcel.sop_class_uid, syntax) for syntax in (parcel.transfer_syntax_uid, *UNCOMPRESSED)}


def _store_group(
    destination: DimseDestination, group: Sequence[Parcel], security: Security, tls: tuple[Any, str] | None
) -> Iterator[Delivery]:
    kinds = sorted(set().union(*map(_kinds, group)))
    with _association(destination, [build_context(*kind) for kind in kinds], security, tls) as association:
        accepted = {
            (str(context.abstract_syntax), str(context.transfer_syntax[0])) for context in association.accepted_contexts
        }
        trouble = _trouble(association)
        for number, parcel in enumerate(group):
            if trouble is not None:
                yield parcel.failed(*trouble)
            elif not any(kind in accepted for kind in _kinds(parcel)):
                yield parcel.refused(
                    code="sop-class-not-accepted", detail="the peer takes no objects of this SOP class"
                )
            elif not association.is_established:
                yield parcel.failed(code="connection-lost", detail="the peer ended the association")
            else:
                yield _store_one(association, parcel, accepted, number)


@contextmanager
def _association(
    destination: DimseDestination,
    contexts: list[PresentationContext],
    security: Security,
    tls: tuple[Any, str] | None,
) -> Iterator[Association]:
    entity = AE(ae_title=security.calling_aet)
    entity.acse_timeout = entity.dimse_timeout = security.timeout_s
    entity.network_timeout = entity.connection_timeout = security.timeout_s
    connections: list[socket.socket] = []
    association = entity.associate(
        destination.host,
        destination.port,
        contexts=contexts,
        ae_title=destination.ae_title,
        tls_args=tls,
        evt_handlers=[(evt.EVT_CONN_OPEN, lambda event: connections.append(event.assoc.dul.socket.socket))],
    )
    try:
        yield association
    except BaseException:
        association.abort()
        raise
    finally:
        if association.is_established:
            association.release()
        association.dul.join(CLOSES_WITHIN_S)
        for connection in connections:  # the library leaves it open where the peer was the first to end it
            connection.close()


def _trouble(association: Association) -> _Trouble | None:
    """Code and words for an association that did not come about; None where it did, whatever the peer takes."""
    if association.is_established or association.rejected_contexts:
        return None
    if association.is_rejected:
        reason = getattr(association.acceptor.primitive, "reason_str", "no reason given")
        return _Trouble(code="association-rejected", detail=f"the peer rejects the association: {reason}")
    return _Trouble(code="peer-unreachable", detail="no connection, or no agreement on TLS or DICOM")


def _store_one(association: Association, parcel: Parcel, accepted: set[tuple[str, str]], number: int) -> Delivery:
    message_id = number % 65535 + 1
    try:
        if (parcel.sop_class_uid, parcel.transfer_syntax_uid) in accepted:
            status = association.send_c_store(parcel.path, msg_id=message_id)
        else:
            status = association.send_c_store(_decompressed(parcel), msg_id=message_id)
    except OSError as error:
        return parcel.failed(code="unreadable", detail=f"the file cannot be read ({type(error).__name__})")
    except LIBRARY_ERRORS as error:
        if not association.is_established:
            return parcel.failed(code="connection-lost", detail="the peer ended the association")
        return parcel.refused(
            code="not-sendable", detail=f"the object cannot be encoded for the peer ({type(error).__name__})"
        )
    return judge(parcel, status.get("Status"))


def _decompressed(parcel: Parcel) -> Dataset:
    """The data set without compression; its pixels stay what a decoder gives, and so its UID stays too."""
    with quiet():
        dataset = pydicom.dcmread(parcel.path)
        if UID(parcel.transfer_syntax_uid).is_encapsulated:
            dataset.decompress(generate_instance_uid=False)
    return dataset


def judge(parcel: Parcel, status: int | None) -> Delivery:
    """What a status of C-STORE means (DICOM PS3.4 table B.2-1, PS3.7 annex C).

    Args:
        parcel: What was sent.
        status: The response's status, None where no response came.
    """
    if status is None:
        return parcel.failed(code="connection-lost", detail="no answer to C-STORE")
    words = f"status {status:04X}"
    if status in _STORED:
        return parcel.accepted("" if status == 0 else f"{words}: it was there already")
    if status >> 12 == 0xB or status in (0x0001, 0x0107, 0x0116):
        return parcel.accepted(f"{words}: stored with a warning")
    if status >> 8 == 0xA9 or status >> 12 == 0xC or status in _PERMANENT:
        return parcel.refused(
            code="not-stored", detail=f"{words}: {_PERMANENT.get(status, 'the peer cannot store this object')}"
        )
    return parcel.failed(code="not-stored", detail=f"{words}: the peer cannot store it now")
