"""Options of every command that calls a PACS."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from medcam.dicom.network.destination import Destination, parse_destination
from medcam.dicom.network.security import DEFAULT_AE_TITLE, Security, headers_from_environment

SendTo = Annotated[
    str | None,
    typer.Option(
        metavar="DESTINATION",
        help="Send the DICOM objects to AET@HOST:PORT (C-STORE), dicomweb://HOST[:PORT]/PATH (STOW-RS over HTTP) or "
        "dicomwebs://... (HTTPS).",
    ),
]
TlsCa = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="PEM file with the authorities that sign the peer's certificate. Makes C-STORE go over TLS.",
        show_default="the system's",
    ),
]
TlsCert = Annotated[
    Path | None, typer.Option(metavar="FILE", exists=True, dir_okay=False, help="PEM file with medcam's certificate.")
]
TlsKey = Annotated[
    Path | None, typer.Option(metavar="FILE", exists=True, dir_okay=False, help="PEM file with its key, not encrypted.")
]
CallingAet = Annotated[str, typer.Option(metavar="AET", help="AE title that medcam calls with (C-STORE).")]
CALLING_AET = DEFAULT_AE_TITLE


def destination(text: str | None) -> Destination | None:
    """What --send-to names.

    Raises:
        UsageError: It cannot be read.
    """
    return None if text is None else parse_destination(text)


def security(calling_aet: str, ca: Path | None, certificate: Path | None, key: Path | None, *, web: bool) -> Security:
    """How a peer is called.

    Args:
        calling_aet: Of `--calling-aet`.
        ca: Of `--tls-ca`.
        certificate: Of `--tls-cert`.
        key: Of `--tls-key`.
        web: Whether a DICOMweb service is among the peers; the environment's headers are read for it alone.

    Raises:
        UsageError: They do not go together, or the environment's headers cannot be read.
    """
    return Security(calling_aet, ca, certificate, key, headers_from_environment() if web else {})
