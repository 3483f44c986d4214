"""Walks an encoded data set without making anything of it.

What arrives over the network is kept as it was sent; the little that must be known at once (which study, what is to be
committed) is read by stepping from element to element, in a loop, within limits: no value is interpreted, no recursion,
nothing is allocated for it. A data set that cannot be walked yields what came before the fault.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

IMPLICIT_LITTLE: Final = "1.2.840.10008.1.2"
EXPLICIT_BIG: Final = "1.2.840.10008.1.2.2"
DEFLATED: Final = frozenset(("1.2.840.10008.1.2.1.99",))
REFERENCED_SOP_SEQUENCE: Final = 0x00081199
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_PIXELS, _DELIMITERS = 0x7FE00000, 0xFFFE
_UNDEFINED = 0xFFFFFFFF
_LONG_VRS = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))
_MOST_STEPS = 100_000
_DEEPEST = 32
_INFLATED = 1 << 22
"""Bytes of a deflated data set that are looked at."""


@dataclass(frozen=True, slots=True)
class Element:
    """An element as it lies there.

    Args:
        depth: 0 for the data set's own, 1 for those of an item, and so on.
        tag: Group and element as one number.
        value: Its bytes.
    """

    depth: int
    tag: int
    value: memoryview

    @property
    def text(self) -> str:
        """The value of a UI or AE element; "" where it is no ASCII."""
        try:
            return bytes(self.value).rstrip(b"\0 ").decode("ascii")
        except UnicodeDecodeError:
            return ""


@dataclass(frozen=True, slots=True)
class _Header:
    tag: int
    length: int
    start: int
    sequence: bool

    @property
    def end(self) -> int | None:
        """Where its value ends; None where a delimiter says so."""
        return None if self.length == _UNDEFINED else self.start + self.length

    @property
    def is_pixels(self) -> bool:
        """Whether the pixel data, or what comes after them, have been reached."""
        return self.tag >= _PIXELS and self.tag >> 16 != _DELIMITERS

    @property
    def is_end(self) -> bool:
        """Whether it is the end of an item or a sequence."""
        return self.tag in (_ITEM_END, _SEQUENCE_END)

    def enters(self, sequences: frozenset[int]) -> bool:
        """Whether the walk goes inside."""
        return self.tag == _ITEM or (self.sequence and (self.end is None or self.tag in sequences))


def walk(data: memoryview, transfer_syntax: str, sequences: frozenset[int] = frozenset()) -> Iterator[Element]:
    """Yields the elements before the pixel data, in their order.

    Args:
        data: An encoded data set.
        transfer_syntax: UID of its encoding.
        sequences: Tags of the sequences of known length that are entered; the others are stepped over. Those of
            undefined length have to be walked in any case.
    """
    if transfer_syntax in DEFLATED:
        data = _inflated(data)
    explicit, order = transfer_syntax != IMPLICIT_LITTLE, ">" if transfer_syntax == EXPLICIT_BIG else "<"
    ends: list[int | None] = []  # where sequences and items in turn end; None where a delimiter says so
    position = 0
    for _ in range(_MOST_STEPS):
        _leave(ends, position)
        header = _header(data, position, explicit, order)
        if header is None or header.is_pixels or len(ends) > _DEEPEST:
            return
        position = header.start
        if header.is_end and ends:
            ends.pop()
        elif header.enters(sequences):
            ends.append(header.end)
        elif header.end is None or header.end > len(data):
            return
        else:
            if not header.sequence:
                yield Element(len(ends) // 2, header.tag, data[position : header.end])
            position = header.end


def _leave(ends: list[int | None], position: int) -> None:
    """Leaves the sequences and items that end before a position."""
    while ends and ends[-1] is not None and position >= ends[-1]:
        ends.pop()


def _header(data: memoryview, position: int, explicit: bool, order: str) -> _Header | None:
    """The element at a position; None where the data end. What has undefined length is a sequence."""
    if position + 8 > len(data):
        return None
    group, number = struct.unpack_from(f"{order}HH", data, position)
    tag = group << 16 | number
    if not explicit or group == _DELIMITERS:
        (length,) = struct.unpack_from(f"{order}L", data, position + 4)
        # In implicit VR nothing else tells a sequence of known length from a value.
        return _Header(
            tag, length, position + 8, group != _DELIMITERS and (length == _UNDEFINED or tag == REFERENCED_SOP_SEQUENCE)
        )
    vr = bytes(data[position + 4 : position + 6])
    if vr not in _LONG_VRS:
        return _Header(tag, struct.unpack_from(f"{order}H", data, position + 6)[0], position + 8, sequence=False)
    if position + 12 > len(data):
        return None
    (length,) = struct.unpack_from(f"{order}L", data, position + 8)
    return _Header(tag, length, position + 12, vr == b"SQ")


def _inflated(data: memoryview) -> memoryview:
    try:
        return memoryview(zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, _INFLATED))
    except zlib.error:
        return memoryview(b"")
