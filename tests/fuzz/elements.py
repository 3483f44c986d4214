"""Where the elements of a DICOM file lie, found without recursion and without a parser of others."""

from __future__ import annotations

import struct
from dataclasses import dataclass

LONG = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))
_SHORT_TEXT = (b"AE", b"AS", b"CS", b"DA", b"DS", b"DT", b"IS", b"LO", b"LT", b"PN", b"SH", b"ST", b"TM", b"UI")
SHORT = frozenset((*_SHORT_TEXT, b"AT", b"FD", b"FL", b"SL", b"SS", b"UL", b"US"))
UNDEFINED = 0xFFFFFFFF
ITEMS = (0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD)


@dataclass(frozen=True)
class Element:
    """Where an element lies: `start` of its tag, `size_at` and `size_kind` of its length field, `value` and `end`."""

    tag: int
    vr: bytes
    start: int
    size_at: int
    size_kind: str
    value: int
    end: int


def elements_of(data: bytes, most: int = 3000) -> list[Element]:
    """All elements and items in their order, those inside sequences too, as far as the file makes sense."""
    found: list[Element] = []
    position = 132 if data[128:132] == b"DICM" else 0
    order, explicit = "<", True
    while position + 8 <= len(data) and len(found) < most:
        if position >= 132 and data[position : position + 2] != b"\x02\x00" and not any(e.tag >> 16 > 2 for e in found):
            explicit = data[position + 4 : position + 6] in LONG | SHORT
            order = ">" if data[position : position + 2] == b"\x00\x08" else "<"
        element = _element(data, position, order, explicit)
        found.append(element)
        inside = element.vr == b"SQ" or element.tag in ITEMS or element.end > len(data)
        position = element.value if inside else element.end
    return found


def _element(data: bytes, start: int, order: str, explicit: bool) -> Element:
    group, number = struct.unpack_from(f"{order}HH", data, start)
    tag, vr = group << 16 | number, data[start + 4 : start + 6]
    if tag in ITEMS or not explicit or vr not in LONG | SHORT:
        size_at, kind, value, vr = start + 4, f"{order}L", start + 8, b""
    elif vr in LONG and start + 12 <= len(data):
        size_at, kind, value = start + 8, f"{order}L", start + 12
    else:
        size_at, kind, value = start + 6, f"{order}H", start + 8
    (length,) = struct.unpack_from(kind, data, size_at)
    end = value if length == UNDEFINED else value + length
    return Element(tag, vr, start, size_at, kind, value, end)
