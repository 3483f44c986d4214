"""Where objects are sent to, as the command line names it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from medcam.core.errors import UsageError

_DIMSE = re.compile(r"(?P<aet>.+)@(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(?P<port>[0-9]{1,5})")
_AE_TITLE = re.compile(r"(?=.*[^ ])[ -\[\]-~]{1,16}")
_PRINTABLE = re.compile(r"[!-~]+")
_SCHEMES = {"dicomweb": "http", "dicomwebs": "https"}


@dataclass(frozen=True, slots=True)
class DimseDestination:
    """An application entity that takes C-STORE.

    Args:
        ae_title: The called AE title.
        host: Name or address, IPv6 without brackets.
        port: TCP port.
    """

    ae_title: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.ae_title}@{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class WebDestination:
    """A DICOMweb service that takes STOW-RS.

    Args:
        url: Its base URL with scheme http or https, without a slash at its end; /studies comes after it.
    """

    url: str

    def __str__(self) -> str:
        scheme, _, rest = self.url.partition("://")
        return f"{'dicomwebs' if scheme == 'https' else 'dicomweb'}://{rest}"


Destination = DimseDestination | WebDestination


def is_web(text: str) -> bool:
    """Whether a text names a DICOMweb service rather than an application entity or a file."""
    return text.partition("://")[0].lower() in _SCHEMES and "://" in text


def parse_destination(text: str) -> Destination:
    """Reads AET@HOST:PORT, or dicomweb://host[:port]/path (HTTP), or dicomwebs://host[:port]/path (HTTPS).

    Raises:
        UsageError: It is none of these (code `bad-destination`), or holds a password (`credentials-in-url`).
    """
    if is_web(text):
        parts = split_web(text)
        if parts.query:
            raise _bad("a DICOMweb destination takes no query")
        return WebDestination(web_url(parts))
    match = _DIMSE.fullmatch(text)
    if match is None or not 0 < int(match["port"]) < 65536:
        raise _bad("a destination is neither AET@HOST:PORT nor dicomweb://host[:port]/path")
    if not is_ae_title(match["aet"]):
        raise _bad("an AE title has 1 to 16 printable ASCII characters, and no backslash")
    return DimseDestination(match["aet"].strip(), match["host"].strip("[]"), int(match["port"]))


def is_ae_title(text: str) -> bool:
    """Whether a text is a value of VR AE (DICOM PS3.5 section 6.2): 1 to 16 characters, not spaces alone."""
    return _AE_TITLE.fullmatch(text) is not None


def split_web(text: str) -> SplitResult:
    """The parts of a dicomweb:// or dicomwebs:// URL, checked.

    Raises:
        UsageError: It is malformed (code `bad-destination`), or holds a user name or password (`credentials-in-url`):
            URLs end up in logs and in the list of processes.
    """
    if not _PRINTABLE.fullmatch(text):
        raise _bad("a URL holds printable ASCII characters alone; others are percent-encoded")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _bad("the URL has no valid host or port") from error
    if parts.username is not None or parts.password is not None:
        raise UsageError(
            "a URL with a user name or password ends up in logs",
            code="credentials-in-url",
            next_step="Put the value of the Authorization header into MEDCAM_DICOMWEB_AUTHORIZATION instead.",
        )
    if not host or port == 0 or parts.fragment or ".." in parts.path.split("/"):
        raise _bad("a DICOMweb URL has a host, and no fragment and no '..'")
    return parts


def web_url(parts: SplitResult, path: str | None = None) -> str:
    """The http or https URL of a DICOMweb service, without query, without a slash at its end.

    Args:
        parts: Of its dicomweb:// URL.
        path: In place of that URL's path.
    """
    path = parts.path if path is None else path
    return f"{_SCHEMES[parts.scheme.lower()]}://{parts.netloc}{path}".rstrip("/")


def _bad(message: str) -> UsageError:
    return UsageError(
        message,
        code="bad-destination",
        next_step="Write AET@HOST:PORT, dicomweb://host[:port]/path or dicomwebs://host[:port]/path.",
    )
