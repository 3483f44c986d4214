"""Downloads a file when somebody asks for it: resumed where it was broken off, checked in size and digest."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests

from medcam.core.errors import ModelError, UsageError
from medcam.models.published.checkpoint import MOST_BYTES

ATTEMPTS = 3
TIMEOUT = (10.0, 60.0)
"""Seconds to wait for a connection, and for the next bytes."""
LINKED_DIGEST = "X-Linked-Etag"
"""Header in which the Hugging Face hub names the SHA-256 of a large file, before it redirects to where it lies."""

Report = Callable[[int, int], None]
_PIECE = 2**16
"""Bytes; of a connection that breaks off no more is lost."""
_DIGEST = re.compile(r'"?([0-9a-f]{64})"?')
_HERE = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be downloaded.

    Args:
        url: https, or http of this computer.
        size: Bytes, None where nobody knows.
        sha256: Its digest, empty where nobody knows.
    """

    url: str
    size: int | None = None
    sha256: str = ""

    def __post_init__(self) -> None:
        _check_address(self.url)


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file that is here.

    Attributes:
        path: Where.
        size: Bytes.
        sha256: Of its bytes.
    """

    path: Path
    size: int
    sha256: str


def download(wanted: Wanted, folder: Path, report: Report = lambda *_: None) -> Downloaded:
    """Downloads a file into a folder; what is there of it already is not fetched again.

    Args:
        wanted: What.
        folder: Where to; made if absent. A file that was broken off stays there for the next time.
        report: Told of bytes that are here and of all bytes, 0 where nobody knows.

    Raises:
        ModelError: The server cannot be reached ("download-unreachable") or refuses ("download-refused"), or the file
            has another size ("download-size") or digest ("download-digest") than it must have.
    """
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{hashlib.sha256(wanted.url.encode()).hexdigest()[:16]}.part"
    for attempt in range(ATTEMPTS):
        try:
            promised = _fetch(wanted, part, report)
            break
        except requests.RequestException as error:
            if attempt + 1 == ATTEMPTS:
                raise _unreachable(wanted.url) from error
    return _checked(wanted, part, promised)


def _fetch(wanted: Wanted, part: Path, report: Report) -> str:
    """Fetches what is missing; returns the digest that the server promises, empty for none."""
    have, mark = _begun(part)
    headers = {"Accept-Encoding": "identity"}
    if have and mark:
        headers |= {"Range": f"bytes={have}-", "If-Range": mark}
    with requests.get(wanted.url, headers=headers, timeout=TIMEOUT, stream=True) as response:
        for step in (*response.history, response):
            _check_address(step.url)
        promised = _promised(response)
        if response.status_code == requests.codes.requested_range_not_satisfiable:
            _forget(part)
            raise requests.ConnectionError("what is here is no beginning of the file")
        if response.status_code not in (requests.codes.ok, requests.codes.partial_content):
            raise _refused(wanted.url, response.status_code)
        resumed = response.status_code == requests.codes.partial_content and _begins_at(response, have)
        if response.status_code == requests.codes.partial_content and not resumed:
            _forget(part)
            raise requests.ConnectionError("the server sends another part")
        _keep_mark(part, response.headers.get("ETag", ""))
        _write(wanted, part, response, have if resumed else 0, report)
    return promised


def _write(wanted: Wanted, part: Path, response: requests.Response, have: int, report: Report) -> None:
    most = MOST_BYTES if wanted.size is None else wanted.size
    length = response.headers.get("Content-Length", "")
    total = wanted.size or (have + int(length) if length.isdecimal() else 0)
    if total > most:
        raise _wrong_size(wanted, total)
    with part.open("r+b" if have else "wb") as file:
        file.seek(have)
        for piece in response.iter_content(_PIECE):
            have += len(piece)
            if have > most:
                file.close()
                _forget(part)
                raise _wrong_size(wanted, have)
            file.write(piece)
            report(have, total)
    if total and have < total:
        raise requests.ConnectionError("the connection ended too early")


def _checked(wanted: Wanted, part: Path, promised: str) -> Downloaded:
    size = part.stat().st_size
    if wanted.size not in (None, size):
        raise _wrong_size(wanted, size)
    digest = hashlib.sha256()
    with part.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    found = digest.hexdigest()
    for expected in (wanted.sha256, promised):
        if expected and found != expected:
            _forget(part)
            raise wrong_digest(wanted.url, expected, found)
    return Downloaded(part, size, found)


def discard(downloaded: Downloaded) -> None:
    """Removes a download that is not needed any more."""
    _forget(downloaded.path)


def wrong_digest(url: str, expected: str, found: str) -> ModelError:
    """The refusal of a file that is not the one that is known."""
    return ModelError(
        f"{url} has the SHA-256 {found}, not {expected}",
        code="download-digest",
        next_step="Do not use it: it is not the file that is known. Ask its publisher, or compare with another source.",
    )


def _begun(part: Path) -> tuple[int, str]:
    """Bytes that are here, and the mark by which the server knows the version they are of."""
    try:
        return part.stat().st_size, str(json.loads(_mark(part).read_text(encoding="utf-8"))["etag"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0, ""


def _keep_mark(part: Path, etag: str) -> None:
    # A weak mark says nothing about bytes.
    _mark(part).write_text(json.dumps({"etag": "" if etag.startswith("W/") else etag}), encoding="utf-8")


def _mark(part: Path) -> Path:
    return part.with_suffix(".json")


def _forget(part: Path) -> None:
    for path in (part, _mark(part)):
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _begins_at(response: requests.Response, have: int) -> bool:
    return response.headers.get("Content-Range", "").startswith(f"bytes {have}-")


def _promised(response: requests.Response) -> str:
    found = (_DIGEST.fullmatch(step.headers.get(LINKED_DIGEST, "")) for step in (*response.history, response))
    return next((match[1] for match in found if match), "")


def _check_address(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _HERE):
        return
    raise UsageError(
        "weights are downloaded by https alone", code="download-address", next_step="Give an address of https."
    )


def _unreachable(url: str) -> ModelError:
    return ModelError(
        f"{urlsplit(url).hostname} cannot be reached, or breaks off",
        code="download-unreachable",
        next_step="Connect this computer and run the command again: it goes on where it was. Without a network, "
        f"download {url} elsewhere and give the file to `medcam models import`.",
    )


def _refused(url: str, status: int) -> ModelError:
    return ModelError(
        f"{urlsplit(url).hostname} answers {status}",
        code="download-refused",
        next_step=f"Open {url} in a browser: the file may have moved, or ask for terms to be accepted.",
    )


def _wrong_size(wanted: Wanted, size: int) -> ModelError:
    expected = f"not {wanted.size}" if wanted.size is not None else f"more than {MOST_BYTES}"
    return ModelError(
        f"{wanted.url} has {size} bytes, {expected}",
        code="download-size",
        next_step="Do not use it: it is not the file that is known. Ask its publisher.",
    )
