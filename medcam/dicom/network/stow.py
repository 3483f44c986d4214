"""STOW-RS: objects as they lie on disk into a DICOMweb service (DICOM PS3.18 section 10.5).

dicomweb-client would decode and encode every object anew; an object that is sent twice must be the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from medcam.dicom.network.delivery import Delivery, Parcel
from medcam.dicom.network.destination import WebDestination
from medcam.dicom.network.qido import value
from medcam.dicom.network.security import Security
from medcam.dicom.network.store_scu import judge
from medcam.dicom.network.web import WebAnswer, WebClient, WebError

_FAILED_SOP_SEQUENCE = "00081198"
_FAILURE_REASON = "00081197"
_REFERENCED_SOP_SEQUENCE = "00081199"
_REFERENCED_SOP_INSTANCE_UID = "00081155"
_NOT_THIS_TIME = (401, 403, 404, 405)


def store(destination: WebDestination, parcels: Sequence[Parcel], security: Security) -> list[Delivery]:
    """Sends files by STOW-RS, each once and in a request of its own, so that one cannot spoil another.

    Args:
        destination: To whom.
        parcels: What.
        security: Headers and certificates.

    Returns:
        What became of each, in order.

    Raises:
        UsageError: See `WebClient`.
    """
    with WebClient(destination.url, security) as client:
        return [_store_one(client, parcel) for parcel in parcels]


def _store_one(client: WebClient, parcel: Parcel) -> Delivery:
    try:
        content = parcel.path.read_bytes()
    except OSError as error:
        return parcel.failed(code="unreadable", detail=f"the file cannot be read ({type(error).__name__})")
    boundary = _boundary(content)
    body = b"".join(
        (
            f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode(),
            content,
            f"\r\n--{boundary}--\r\n".encode(),
        )
    )
    headers = {
        "Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}',
        "Accept": "application/dicom+json",
    }
    try:
        answer = client.post(f"{client.url}/studies", body, headers)
    except WebError as error:
        return parcel.failed(code=error.code, detail=error.message)
    return judge_answer(parcel, answer)


def _boundary(content: bytes) -> str:
    while True:
        boundary = uuid4().hex
        if boundary.encode() not in content:
            return boundary


def judge_answer(parcel: Parcel, answer: WebAnswer) -> Delivery:
    """What an answer to STOW-RS means for the one object of its request (PS3.18 sections 10.5.3 and I.2).

    The report in the body decides, where there is one: 202 and 409 alone do not tell whether the object is there.
    """
    words = f"HTTP {answer.status}"
    reason = _failure_reason(parcel, answer)
    if reason is not None and answer.status in (200, 202, 409):
        return judge(parcel, reason)
    if answer.status in (200, 201, 202, 204):
        return parcel.accepted("" if answer.status == 200 else words)
    if answer.status in _NOT_THIS_TIME or 300 <= answer.status < 400:
        code = "web-redirected" if answer.status < 400 else "not-authorised" if answer.status < 404 else "web-not-found"
        return parcel.failed(code, f"{words}: not the way in to this service")
    if 400 <= answer.status < 500 and answer.status not in (408, 425, 429):
        return parcel.refused(code="not-stored", detail=f"{words}: the service does not take this object")
    return parcel.failed(
        code="not-stored", detail=f"{words}: the service cannot store it now", retry_after_s=answer.retry_after_s
    )


def _failure_reason(parcel: Parcel, answer: WebAnswer) -> int | None:
    """Failure Reason of the object in the report; None where it is not said to have failed."""
    if "json" not in answer.content_type.lower():
        return None
    try:
        report = json.loads(answer.body)
        report = report[0] if isinstance(report, list) and report else report
        if not isinstance(report, Mapping):
            return None
        stored = [value(item, _REFERENCED_SOP_INSTANCE_UID) for item in _items(report, _REFERENCED_SOP_SEQUENCE)]
        failed = _items(report, _FAILED_SOP_SEQUENCE)
        if not failed or parcel.sop_instance_uid in stored:
            return None
        return int(value(failed[0], _FAILURE_REASON))
    except (ValueError, TypeError, RecursionError):
        return None


def _items(report: Mapping[str, Any], tag: str) -> list[Mapping[str, Any]]:
    element = report.get(tag)
    value = element.get("Value") if isinstance(element, Mapping) else None
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
