"""How a peer is convinced of who calls, and how it is made sure who answers."""

from __future__ import annotations

import json
import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from medcam.core.errors import UsageError
from medcam.dicom.network.destination import is_ae_title

AUTHORIZATION_VARIABLE = "MEDCAM_DICOMWEB_AUTHORIZATION"
HEADERS_VARIABLE = "MEDCAM_DICOMWEB_HEADERS"
DEFAULT_AE_TITLE = "MEDCAM"
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\t -~]+")


@dataclass(frozen=True, slots=True)
class Security:
    """What a client shows and what it asks of its peer.

    Args:
        calling_aet: AE title of the caller (DIMSE).
        ca: PEM file of the authorities that sign the peer's certificate; the system's own where None. For DIMSE it
            also turns TLS on.
        certificate: PEM file of the caller's certificate.
        key: PEM file of its private key, not encrypted.
        headers: Sent with every DICOMweb request. They are secrets: never logged, never sent to another host, and
            over plain HTTP to this computer alone.
        timeout_s: Seconds that a peer may be silent.

    Raises:
        UsageError: The AE title is none (code `bad-ae-title`), or a key comes without certificate, or the other way
            round (`bad-certificate`).
    """

    calling_aet: str = DEFAULT_AE_TITLE
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout_s: float = 60.0

    def __post_init__(self) -> None:
        if not is_ae_title(self.calling_aet):
            raise UsageError(
                "the calling AE title has other than 1 to 16 printable ASCII characters, or a backslash",
                code="bad-ae-title",
                next_step="Choose another one.",
            )
        if (self.certificate is None) != (self.key is None):
            raise _bad_certificate("a certificate and its private key go together")

    @property
    def tls(self) -> bool:
        """Whether C-STORE goes over TLS."""
        return self.ca is not None or self.certificate is not None

    def ssl_context(self) -> ssl.SSLContext:
        """A context for a client: TLS 1.2 at least, the peer's certificate and name are checked.

        Raises:
            UsageError: A file cannot be read or used (code `bad-certificate`).
        """
        try:
            context = ssl.create_default_context(cafile=None if self.ca is None else str(self.ca))
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.certificate is not None and self.key is not None:
                # Without a password of its own OpenSSL asks for one on the terminal.
                context.load_cert_chain(self.certificate, self.key, password=lambda: b"")
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            raise _bad_certificate("a certificate, key or list of authorities cannot be read or used") from error
        return context


def headers_from_environment(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """HTTP headers for DICOMweb that the environment asks for.

    MEDCAM_DICOMWEB_AUTHORIZATION is the value of the Authorization header, such as "Bearer ...";
    MEDCAM_DICOMWEB_HEADERS is a JSON object, or lines of "Name: value".

    Args:
        environment: In place of the process's own.

    Raises:
        UsageError: They cannot be read (code `bad-web-headers`).
    """
    environment = os.environ if environment is None else environment
    headers = _parse_headers(environment.get(HEADERS_VARIABLE, ""))
    authorization = environment.get(AUTHORIZATION_VARIABLE, "").strip()
    if authorization:
        headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
        headers["Authorization"] = authorization
    for name, value in headers.items():
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise _bad_headers("a header's name or value has characters that are not allowed")
    return headers


def _parse_headers(text: str) -> dict[str, str]:
    text = text.strip()
    if text.startswith("{"):
        try:
            fields = json.loads(text)
        except ValueError as error:
            raise _bad_headers("the headers begin like a JSON object and are none") from error
        if not all(isinstance(value, str) for value in fields.values()):
            raise _bad_headers("the value of a header is no text")
        return {name.strip(): value.strip() for name, value in fields.items()}
    headers = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, colon, value = line.partition(":")
        if not colon:
            raise _bad_headers("a line has no colon")
        headers[name.strip()] = value.strip()
    return headers


def _bad_headers(message: str) -> UsageError:
    return UsageError(
        message,
        code="bad-web-headers",
        next_step=f"Write {HEADERS_VARIABLE} as a JSON object of texts, or as lines of 'Name: value'.",
    )


def _bad_certificate(message: str) -> UsageError:
    return UsageError(
        message,
        code="bad-certificate",
        next_step="Give PEM files: --tls-ca for the peer's authority, --tls-cert and --tls-key (not encrypted) for "
        "your own.",
    )
