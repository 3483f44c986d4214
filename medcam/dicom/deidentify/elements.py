"""Builds a de-identified data set: a new one, into which only what a rule lets through is written."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from medcam.dicom.deidentify.codes import cleaned_code, is_code
from medcam.dicom.deidentify.dates import plain_time, shifted_date, shifted_date_time
from medcam.dicom.deidentify.patient import Replacements
from medcam.dicom.deidentify.pseudonyms import Kind
from medcam.dicom.deidentify.rules import Rule, keyword_of, rule_of
from medcam.dicom.deidentify.values import is_registered, kept_age, kept_numbers, kept_words, single
from medcam.dicom.deidentify.vocabulary import body_part, manufacturer
from medcam.dicom.errors import LIBRARY_ERRORS, PixelDataError
from medcam.dicom.header import Header
from medcam.dicom.lut import LookupTable, read_table

_DEEPEST = 12
"""Levels of sequences; a radiograph has three or four, and what lies deeper is dropped."""
_STAYS_WHEN_EMPTY = frozenset(("AcquisitionContextSequence", "AnatomicRegionSequence", "ViewModifierCodeSequence"))
"""Sequences of Type 2 in DX images, which have to be there without items too."""
_LARGEST_16 = 1 << 16

Write = Callable[[Header, BaseTag, str, Replacements], object | None]


def cleaned(source: Dataset, replaced: Replacements, *, depth: int = 0) -> Dataset:
    """A new data set with what may stay, recursively.

    Args:
        source: The original, which is left as it is. VRs that it states are not believed.
        replaced: What replaces identifiers; UIDs that were met are collected there.
        depth: How many sequences lie around it.

    Returns:
        Without pixel data, and without what the profile adds. Values are written anew under the dictionary's VRs.
    """
    header, result = Header(source), Dataset()
    for tag in sorted(source.keys()):
        rule = rule_of(tag, replaced.profile)
        if rule in (Rule.DROP, Rule.PIXELS):
            continue
        keyword = keyword_of(tag)
        try:
            _write(result, header, tag, keyword, rule, replaced, depth)
        except LIBRARY_ERRORS:  # what cannot be read cannot be judged
            result.pop(tag, None)
    return result


def _write(
    result: Dataset, header: Header, tag: BaseTag, keyword: str, rule: Rule, replaced: Replacements, depth: int
) -> None:
    vr = dictionary_VR(tag)
    if rule is Rule.EMPTY:
        result.add_new(tag, vr, [] if vr == "SQ" else None)
    elif rule is Rule.ITEMS:
        _write_items(result, header, tag, keyword, replaced, depth)
    elif rule is Rule.TABLE:
        _write_table(result, header)
    elif not header.values(keyword) and keyword in header.dataset:
        if rule is not Rule.UID:
            result.add_new(tag, "US" if vr == "US or SS" else vr, None)  # it was empty
    else:
        value = _WRITERS[rule](header, tag, keyword, replaced)
        if value is not None:
            result.add_new(tag, _plain_vr(vr, value), value)


def _plain_vr(vr: str, value: object) -> str:
    if vr != "US or SS":
        return vr
    numbers = value if isinstance(value, list) else [value]
    return "SS" if any(isinstance(number, int) and number < 0 for number in numbers) else "US"


def _write_items(
    result: Dataset, header: Header, tag: BaseTag, keyword: str, replaced: Replacements, depth: int
) -> None:
    items = header.items(keyword) if depth < _DEEPEST else ()
    kept = [item for item in (_item(each.dataset, replaced, depth + 1) for each in items) if item is not None]
    if kept or keyword in _STAYS_WHEN_EMPTY:
        result.add_new(tag, "SQ", kept)


def _item(item: Dataset, replaced: Replacements, depth: int) -> Dataset | None:
    inner = cleaned(item, replaced, depth=depth)
    if not is_code(item):
        return inner if len(inner) else None
    code = cleaned_code(item)
    if code is not None:
        for element in inner:
            if element.VR == "SQ":  # modifiers
                code.add(element)
    return code


def _write_table(result: Dataset, header: Header) -> None:
    """A lookup table of just as many entries as its descriptor says: what follows them is no table."""
    signed = any(number < 0 for number in header.numbers("LUTDescriptor")[1:2])
    domain = (-float(_LARGEST_16 // 2), float(_LARGEST_16 // 2 - 1)) if signed else (0.0, float(_LARGEST_16 - 1))
    try:
        table = read_table(header, domain, little_endian=header.dataset.original_encoding[1] is not False)
    except PixelDataError:
        return
    result.add_new("LUTDescriptor", *_descriptor(table))
    result.add_new("LUTData", "OW", table.entries.astype("<u2").tobytes())


def _descriptor(table: LookupTable) -> tuple[str, list[int]]:
    values = [table.entries.size % _LARGEST_16, table.first_mapped, table.bits]
    if table.first_mapped >= 0:
        return "US", values
    return "SS", [int(np.int16(value - _LARGEST_16 if value >= _LARGEST_16 // 2 else value)) for value in values]


def _uids(header: Header, _tag: BaseTag, keyword: str, replaced: Replacements) -> object | None:
    return single([replaced.uid(uid) for uid in header.texts(keyword) if uid] or [""])


def _class_uid(header: Header, _tag: BaseTag, keyword: str, _replaced: Replacements) -> object | None:
    uid = header.text(keyword)
    return uid if is_registered(uid) else None


def _date(header: Header, tag: BaseTag, keyword: str, replaced: Replacements) -> object | None:
    move = {"DA": shifted_date, "DT": shifted_date_time}.get(dictionary_VR(tag))
    moved = [move(text, replaced.days) if move else plain_time(text) for text in header.texts(keyword)]
    return None if None in moved else single(moved)


def _numbers(header: Header, tag: BaseTag, keyword: str, _replaced: Replacements) -> object | None:
    kept = kept_numbers(header, tag, keyword)
    return None if kept is None else single(kept)


def _words(header: Header, _tag: BaseTag, keyword: str, _replaced: Replacements) -> object | None:
    kept = kept_words(header, keyword)
    return None if kept is None else single(kept)


_WRITERS: dict[Rule, Write] = {
    Rule.PATIENT: lambda _header, tag, _keyword, r: r.name if dictionary_VR(tag) == "PN" else r.patient,
    Rule.ACCESSION: lambda h, _tag, keyword, r: r.secret.pseudonym(Kind.ACCESSION, h.text(keyword)),
    Rule.STUDY: lambda h, _tag, keyword, r: r.secret.pseudonym(Kind.STUDY, h.text(keyword)),
    Rule.UID: _uids,
    Rule.CLASS_UID: _class_uid,
    Rule.DATE: _date,
    Rule.NUMBER: _numbers,
    Rule.WORDS: _words,
    Rule.BODY_PART: lambda header, _tag, keyword, _replaced: body_part(header.text(keyword)) or None,
    Rule.MAKER: lambda header, _tag, keyword, _replaced: manufacturer(header.text(keyword)),
    Rule.AGE: lambda header, _tag, keyword, _replaced: kept_age(header.text(keyword)),
}
