"""HTTP to one DICOMweb service: secrets stay with it, answers stay within limits, passing faults are tried again."""

from __future__ import annotations

import ipaddress
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter

from medcam.core.errors import MedcamError, UsageError
from medcam.dicom.network.security import Security

LARGEST_TEXT = 64 << 20
"""Bytes of an answer that lists or reports."""
LONGEST_ANSWER_S = 1800.0
"""Seconds after which an answer that still drips in is given up."""
MOST_REDIRECTS = 5
MOST_CONNECTIONS = 32
"""Kept open; several threads may fetch at once."""
LONGEST_WAIT_S = 120.0
"""Seconds; a service that asks for a longer pause is asked again after this one."""

_PASSING = frozenset((408, 425, 429, 500, 502, 503, 504))
_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_PIECE = 1 << 16

T = TypeVar("T")


class WebError(MedcamError):
    """A DICOMweb service did not answer as it should.

    Args:
        message: See `MedcamError`.
        code: See `MedcamError`.
        next_step: See `MedcamError`.
        passing: Whether another attempt may succeed.
    """

    default_code = "web-failed"
    default_next_step = "Look into the log of the DICOMweb service, and run the same command again."

    def __init__(
        self, message: str, *, code: str | None = None, next_step: str | None = None, passing: bool = False
    ) -> None:
        super().__init__(message, code=code, next_step=next_step)
        self.passing = passing


@dataclass(frozen=True, eq=False)
class WebAnswer:
    """An answer, whole.

    Args:
        status: The HTTP status.
        content_type: Value of Content-Type, "" where there is none.
        body: Its bytes, without transfer and content coding.
        retry_after_s: What Retry-After asks for, 0 where it does not.
        warning: Value of Warning, "" where there is none.
    """

    status: int
    content_type: str
    body: bytes = field(repr=False)
    retry_after_s: float = 0.0
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a request is tried and how long is waited in between.

    Args:
        attempts: In all.
        first_s: Seconds before the second attempt; doubled each time, a part of it drawn at random.
        sleep: Waits so many seconds.
    """

    attempts: int = 5
    first_s: float = 0.5
    sleep: Callable[[float], None] = time.sleep

    def pause(self, failures: int, asked_s: float = 0.0) -> None:
        """Waits after so many failures, at least as long as the service asks for."""
        own = self.first_s * 2.0 ** (failures - 1) * random.uniform(0.75, 1.25)  # noqa: S311  no secret
        self.sleep(min(LONGEST_WAIT_S, max(own, asked_s)))


class WebClient:
    """Requests to one service over connections that are kept.

    The environment's proxies and .netrc are not used: neither may redirect or sign what is sent here.

    Args:
        url: Base URL of the service, http or https, without a slash at its end.
        security: Headers, certificates and timeouts.
        patience: For `get`.

    Raises:
        UsageError: Headers would go over plain HTTP to another computer (code `credentials-over-http`), or a
            certificate cannot be used (`bad-certificate`).
    """

    def __init__(self, url: str, security: Security, patience: Patience | None = None) -> None:
        self.url = url
        self._origin = _origin(url)
        if security.headers and self._origin[0] != "https" and not is_loopback(self._origin[1]):
            raise UsageError(
                "secret headers are not sent over plain HTTP to another computer",
                code="credentials-over-http",
                next_step="Use dicomwebs://, or unset MEDCAM_DICOMWEB_AUTHORIZATION and MEDCAM_DICOMWEB_HEADERS.",
            )
        if security.tls:
            security.ssl_context()  # tells what is wrong with the files before anything is sent
        self._patience = patience or Patience()
        self._timeout = security.timeout_s
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update({"Accept-Encoding": "identity", "User-Agent": "medcam", **security.headers})
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=MOST_CONNECTIONS)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        self._session.verify = True if security.ca is None else str(security.ca)
        if security.certificate is not None:
            self._session.cert = (str(security.certificate), str(security.key))

    def get(self, url: str, accept: str, read: Callable[[WebAnswer], T], largest: int = LARGEST_TEXT) -> T:
        """What an answer of status 2xx says, after as many attempts as it takes within the client's patience.

        Args:
            url: Below the service's URL.
            accept: Value of the Accept header.
            read: Reads the answer; raises WebError where it is not what it should be.
            largest: Bytes that the answer may have.

        Raises:
            WebError: No such answer came; its code says why.
        """
        failures = 0
        while True:
            asked = 0.0
            try:
                answer = self._follow(url, accept, largest)
                if answer.status < 300:
                    return read(answer)
                error, asked = _refusal(answer), answer.retry_after_s
            except WebError as fault:
                error = fault
            failures += 1
            if not error.passing or failures >= self._patience.attempts:
                raise error
            self._patience.pause(failures, asked)

    def _follow(self, url: str, accept: str, largest: int) -> WebAnswer:
        """One attempt, which follows redirects as long as they stay on the same host."""
        for _ in range(MOST_REDIRECTS + 1):
            answer, location = self._once("GET", url, {"Accept": accept}, None, largest)
            if answer.status not in _REDIRECTS:
                return answer
            url = urljoin(url, location)
            if _origin(url) != self._origin:
                break
        raise redirected()

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> WebAnswer:
        """One attempt to send something; whatever status comes back.

        Raises:
            WebError: No answer, or an endless one.
        """
        return self._once("POST", url, headers, body, LARGEST_TEXT)[0]

    def _once(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, largest: int
    ) -> tuple[WebAnswer, str]:
        try:
            with self._session.request(
                method, url, headers=dict(headers), data=body, timeout=self._timeout, allow_redirects=False, stream=True
            ) as response:
                content = _bounded(response, largest)
                answer = WebAnswer(
                    response.status_code,
                    response.headers.get("Content-Type", ""),
                    content,
                    _seconds(response.headers.get("Retry-After", "")),
                    response.headers.get("Warning", ""),
                )
                return answer, response.headers.get("Location", "")
        except requests.exceptions.SSLError as error:
            raise WebError(
                "the certificate of the DICOMweb service is not trusted, or there is no agreement on TLS",
                code="web-untrusted",
                next_step="Name the authority that signs it with --tls-ca.",
            ) from error
        except (requests.exceptions.RequestException, OSError) as error:
            # The text of the exception quotes the URL, and with it what was asked for.
            raise WebError(
                f"the DICOMweb service does not answer ({type(error).__name__})",
                code="web-unreachable",
                next_step="Check that it runs and that host and port are right.",
                passing=True,
            ) from error

    def close(self) -> None:
        """Ends the connections."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this computer's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def redirected() -> WebError:
    """The error for an answer that leads elsewhere."""
    return WebError(
        "the DICOMweb service redirects to another host, or in circles",
        code="web-redirected",
        next_step="Name the address where the service really is.",
    )


def _bounded(response: requests.Response, largest: int) -> bytes:
    """The body, read piece by piece: neither its length nor its compression is believed."""
    deadline = time.monotonic() + LONGEST_ANSWER_S
    body = bytearray()
    for piece in response.iter_content(_PIECE):
        body += piece
        if len(body) > largest:
            raise WebError(
                "an answer of the DICOMweb service is over the limit of size",
                code="too-large",
                next_step="Narrow the query; if one image is that large, annotate it from a file.",
            )
        if time.monotonic() > deadline:
            raise WebError("an answer of the DICOMweb service does not end", code="web-unreachable", passing=True)
    return bytes(body)


def _refusal(answer: WebAnswer) -> WebError:
    if answer.status in (401, 403):
        return WebError(
            f"the DICOMweb service refuses access (HTTP {answer.status})",
            code="not-authorised",
            next_step="Put the value of the Authorization header into MEDCAM_DICOMWEB_AUTHORIZATION.",
        )
    if answer.status in (404, 410):
        return WebError(
            f"the DICOMweb service does not have it (HTTP {answer.status})",
            code="web-not-found",
            next_step="Check the path of the service and the UIDs in it.",
        )
    return WebError(f"the DICOMweb service answers with HTTP {answer.status}", passing=answer.status in _PASSING)


def _seconds(text: str) -> float:
    """What Retry-After means, a number of seconds or a date (RFC 9110 section 10.2.3)."""
    if text.strip().isascii() and text.strip().isdigit():
        return float(text.strip()[:6])
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return 0.0


def _origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = 0
    return parts.scheme, parts.hostname or "", port or {"http": 80, "https": 443}.get(parts.scheme, 0)
