"""The parts of a multipart/related message (RFC 2046 section 5.1, RFC 2387), as DICOMweb uses it."""

from __future__ import annotations

import re
from email.message import Message

from medcam.dicom.network.web import WebAnswer, WebError

_HEAD_END = re.compile(rb"\r?\n\r?\n")


def only_object(answer: WebAnswer) -> bytes:
    """The DICOM file in an answer to a request for one instance.

    Args:
        answer: multipart/related with a part of type application/dicom, or that type without multipart.

    Raises:
        WebError: It is of another type (code `web-wrong-content`), or has no whole part (`web-broken-answer`).
    """
    header = Message()
    header["Content-Type"] = answer.content_type
    kind = header.get_content_type()
    if kind == "application/dicom":
        return answer.body
    if kind != "multipart/related":
        raise _wrong()
    boundary = header.get_boundary()
    if not boundary:
        raise _broken("names no boundary")
    return _first_part(answer.body, boundary.encode("ascii", "replace"))


def _first_part(body: bytes, boundary: bytes) -> bytes:
    delimiter = b"--" + boundary
    start = 0 if body.startswith(delimiter) else body.find(b"\n" + delimiter) + 1
    if not body.startswith(delimiter, start):
        raise _broken("has no part")
    line_end = body.find(b"\n", start)
    # A part without headers has its empty line right after the delimiter.
    head = _HEAD_END.search(body, line_end - (body[line_end - 1 : line_end] == b"\r"))
    end = body.find(b"\n" + delimiter, line_end)
    if line_end < 0 or head is None or end < 0 or head.start() > end:
        raise _broken("is cut short")
    if b"application/dicom+" in body[start : head.end()].lower():
        raise _wrong()
    return body[head.end() : end - (body[end - 1 : end] == b"\r")]


def _broken(what: str) -> WebError:
    # What broke off may be whole the next time.
    return WebError(
        f"the answer of the DICOMweb service {what}",
        code="web-broken-answer",
        next_step="Run the same command again; look into the log of the service and of what stands before it.",
        passing=True,
    )


def _wrong() -> WebError:
    return WebError(
        "the DICOMweb service answers with something that was not asked for",
        code="web-wrong-content",
        next_step="Check the path: it must lead to the DICOMweb service, not to the web page of the PACS.",
    )
