"""Which images of a DICOMweb service are meant, as the command line names them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from pydicom.datadict import tag_for_keyword

from medcam.core.errors import UsageError
from medcam.dicom.network.destination import split_web, web_url

DEFAULT_MODALITIES = ("CR", "DX", "RG")
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_LONGEST_UID = 64
_TAG = re.compile(r"[0-9A-Fa-f]{8}")
_MODALITY = re.compile(r"[A-Z0-9_ ]{1,16}")
_MODALITY_KEYS = ("modality", "modalitiesinstudy", "00080060", "00080061")
_PAGING = ("limit", "offset", "includefield")
_FREE = ("fuzzymatching",)


@dataclass(frozen=True, slots=True)
class WebQuery:
    """A search of a DICOMweb service.

    Args:
        url: Base URL of the service, http or https, without a slash at its end.
        matches: Attributes that a study must match, keyword or tag with value. May identify a patient.
        modalities: Modalities of the series that are wanted.
        study: UID of the one study that is wanted; "" for all that match.
        series: UID of the one series that is wanted; "" for all.
        instance: UID of the one instance that is wanted; "" for all.
    """

    url: str
    matches: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    modalities: tuple[str, ...] = DEFAULT_MODALITIES
    study: str = ""
    series: str = ""
    instance: str = ""


def is_safe_uid(text: object) -> bool:
    """Whether something may become part of a URL as a UID: digits and single dots, 64 at most.

    Leading zeros, which PS3.5 section 9.1 forbids and some equipment writes, do no harm there.
    """
    return isinstance(text, str) and len(text) <= _LONGEST_UID and _UID.fullmatch(text) is not None


def parse_query(text: str) -> WebQuery:
    """Reads dicomweb://host[:port]/path[/studies/UID[/series/UID[/instances/UID]]][?Keyword=value&...].

    Raises:
        UsageError: Codes `bad-destination`, `credentials-in-url`; `bad-query` for a search that cannot be made.
    """
    parts = split_web(text)
    base, uids = _split_path(parts.path)
    matches, modalities = _read_matches(parts.query)
    return WebQuery(web_url(parts, base), matches, modalities, *uids)


def _split_path(path: str) -> tuple[str, list[str]]:
    """The service's own path, and UIDs of study, series and instance as far as they are there."""
    segments = path.rstrip("/").split("/")
    if "studies" not in segments:
        return path, []
    start = len(segments) - 1 - segments[::-1].index("studies")
    named = segments[start:]
    if named[::2] != ["studies", "series", "instances"][: (len(named) + 1) // 2]:
        raise _bad("the path after /studies is not /UID, /UID/series/UID or /UID/series/UID/instances/UID")
    uids = named[1::2]
    if not all(map(is_safe_uid, uids)) or len(named) not in (1, 2, 4, 6):
        raise _bad("the path has something else where a UID should be")
    return "/".join(segments[:start]), uids


def _read_matches(query: str) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), max_num_fields=100)
    except ValueError as error:
        raise _bad("the query is no list of Keyword=value") from error
    matches: list[tuple[str, str]] = []
    modalities: list[str] = []
    for key, value in pairs:
        if key.lower() in _MODALITY_KEYS:
            modalities += [word.strip().upper() for word in re.split(r"[,\\]", value)]
        elif key in _PAGING:
            raise _bad(f"{key} is set by medcam itself")
        elif key in _FREE or _TAG.fullmatch(key) or tag_for_keyword(key) is not None:
            matches.append((key, value))
        else:
            raise _bad("the query names an attribute that DICOM does not have")
    if not all(map(_MODALITY.fullmatch, modalities)):
        raise _bad("a modality is one or more words such as CR, DX")
    return tuple(matches), tuple(dict.fromkeys(modalities)) or DEFAULT_MODALITIES


def _bad(message: str) -> UsageError:
    return UsageError(
        message,
        code="bad-query",
        next_step="Write such as dicomweb://host/path?StudyDate=20260101-20260131&Modality=DX, or "
        "dicomweb://host/path/studies/UID.",
    )
