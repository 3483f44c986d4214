"""Sends files to wherever they are to go."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from medcam.dicom.network import store_scu, stow
from medcam.dicom.network.delivery import Delivery, Parcel, pack
from medcam.dicom.network.destination import Destination, DimseDestination, WebDestination
from medcam.dicom.network.security import Security
from medcam.dicom.network.web import WebClient


def deliver(destination: Destination, files: Sequence[Path], security: Security) -> list[Delivery]:
    """Sends DICOM files, each once; trying again is up to the caller.

    The bytes go out as they lie on disk. What the peer has already is no error: to send twice makes no duplicate.

    Args:
        destination: An application entity (C-STORE) or a DICOMweb service (STOW-RS).
        files: DICOM Part 10 files.
        security: Certificates, headers, the caller's AE title, timeouts.

    Returns:
        What became of each file, in order.

    Raises:
        UsageError: Certificates cannot be used (code `bad-certificate`), or secret headers would go over plain HTTP to
            another computer (`credentials-over-http`).
    """
    packed = [pack(path) for path in files]
    parcels = [item for item in packed if isinstance(item, Parcel)]
    sent = iter(_send(destination, parcels, security))
    return [next(sent) if isinstance(item, Parcel) else item for item in packed]


def check_destination(destination: Destination, security: Security) -> None:
    """Makes sure that certificates and headers can be used, without calling the destination.

    Raises:
        UsageError: As `deliver`.
    """
    if isinstance(destination, WebDestination):
        WebClient(destination.url, security).close()
    elif security.tls:
        security.ssl_context()


def _send(destination: Destination, parcels: Sequence[Parcel], security: Security) -> list[Delivery]:
    if isinstance(destination, DimseDestination):
        return store_scu.store(destination, parcels, security)
    return stow.store(destination, parcels, security)
