"""QIDO-RS: which studies, series and instances there are (DICOM PS3.18 section 10.6)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from medcam.dicom.network.web import WebAnswer, WebClient, WebError

PAGE = 200
"""Results asked for at a time."""
MOST_RESULTS = 200_000
"""Results of one search; more are refused instead of filling the memory."""
SMALLEST_CAP = 20
"""Shorter pages are the last ones: services that cap pages below what is asked for cap them no lower."""

STUDY_INSTANCE_UID = "0020000D"
SERIES_INSTANCE_UID = "0020000E"
SOP_INSTANCE_UID = "00080018"
MODALITY = "00080060"

Item = Mapping[str, Any]
Pairs = Sequence[tuple[str, str]]


def search(client: WebClient, path: str, matches: Pairs, key: str) -> Iterator[Item]:
    """Everything that matches, each once, page by page.

    A service that ignores `offset` gives the same page again, which ends the search.

    Args:
        client: The service.
        path: Such as "/studies"; UIDs in it are checked by the caller.
        matches: Attributes and values.
        key: Tag of the UID that tells results apart.

    Yields:
        Results in the DICOM JSON model.

    Raises:
        WebError: The service does not answer rightly, or with more than `MOST_RESULTS` (code `too-many-results`).
    """
    seen: set[str] = set()
    offset = 0
    while True:
        pairs = [*matches, ("limit", str(PAGE)), ("offset", str(offset))]
        page = client.get(f"{client.url}{path}?{_encoded(pairs)}", "application/dicom+json", _results)
        fresh = [item for item in page.items if str(value(item, key)) not in seen]
        for item in fresh:
            if str(value(item, key)) in seen:
                continue
            seen.add(str(value(item, key)))
            yield item
        offset += len(page.items)
        if not fresh or (len(page.items) < SMALLEST_CAP and not page.has_more):
            return
        if len(seen) > MOST_RESULTS:
            raise WebError(
                f"the search has more than {MOST_RESULTS} results",
                code="too-many-results",
                next_step="Narrow it, for example by StudyDate, and annotate in several runs.",
            )


def _encoded(pairs: Pairs) -> str:
    # Wildcards in clear, which a query may hold (RFC 3986 section 3.4): Orthanc takes %2A for an asterisk to look for.
    return urlencode(pairs, quote_via=quote, safe="*?,")


def value(item: Item, tag: str) -> Any:  # noqa: ANN401  whatever a server sends
    """First value of an attribute in the DICOM JSON model (PS3.18 annex F); None where there is none."""
    element = item.get(tag)
    values = element.get("Value") if isinstance(element, Mapping) else None
    return values[0] if isinstance(values, list) and values else None


class _Page:
    def __init__(self, items: list[Item], *, has_more: bool) -> None:
        self.items, self.has_more = items, has_more


def _results(answer: WebAnswer) -> _Page:
    if answer.status == 204 or (not answer.body and answer.status == 200):
        return _Page([], has_more=False)
    try:
        items = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise _wrong() from error
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        raise _wrong()
    # PS3.18 section 8.3.4.4: a service that holds back results says so in a warning.
    return _Page(items, has_more=answer.warning.startswith("299"))


def _wrong() -> WebError:
    return WebError(
        "the DICOMweb service answers a search with something else than a list",
        code="web-wrong-content",
        next_step="Check the path: it must lead to the DICOMweb service, not to the web page of the PACS.",
    )
