"""Walks through a data set without recursion, before a recursive parser does: how deep it is nested, how much is in it.

The walk follows the encoding as leniently as pydicom does: items may be implicit inside an explicit data set, an
unknown VR may mean either, an undefined length of an unknown attribute makes a sequence. Where the two part ways the
parser still meets Python's own limit on recursion.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from pydicom.datadict import dictionary_VR

from medcam.dicom.errors import BrokenDicomError
from medcam.dicom.part10 import EXPLICIT_BIG, IMPLICIT_LITTLE, LONG_VRS, SHORT_VRS, read_meta

DEEPEST = 32
"""Sequences within sequences. Structured reports of real departments reach about 10."""
MOST_ELEMENTS = 1_000_000
"""Elements and items. Radiographs have some hundred."""

_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD


@dataclass(slots=True)
class _Frame:
    """A data set, or a sequence of items, that is being walked through.

    Args:
        end: Where it ends; the end of what it lies in where its length is undefined.
        is_sequence: Whether it consists of items.
        is_explicit: Whether VRs are told in it.
    """

    end: int
    is_sequence: bool
    is_explicit: bool


@dataclass(slots=True)
class _Walk:
    data: bytes
    order: str
    frames: list[_Frame] = field(default_factory=list)
    position: int = 0

    def step(self) -> None:
        """Takes one element, item or delimiter."""
        frame = self.frames[-1]
        if self.position + 8 > frame.end:
            self.frames.pop()
            self.position = max(self.position, min(frame.end, len(self.data)))
        elif frame.is_sequence:
            self._item(frame)
        else:
            self._element(frame)

    def _item(self, frame: _Frame) -> None:
        tag, length = self._tag(), self._number("L", self.position + 4)
        self.position += 8
        if tag == _SEQUENCE_END:
            self.frames.pop()
            return
        end = frame.end if length == _UNDEFINED else min(self.position + length, frame.end)
        vr = self.data[self.position + 4 : self.position + 6]
        # Items of an explicit data set may be implicit, not the other way round (PS3.5 6.2.2).
        self.frames.append(_Frame(end, is_sequence=False, is_explicit=frame.is_explicit and _is_word(vr)))

    def _element(self, frame: _Frame) -> None:
        tag = self._tag()
        vr, length, size = self._vr_and_length(frame)
        self.position += size
        if tag in (_ITEM_END, _SEQUENCE_END):
            self.frames.pop()
        elif length == _UNDEFINED:
            if self._is_sequence(tag, vr, undefined=True):
                self.frames.append(_Frame(frame.end, is_sequence=True, is_explicit=frame.is_explicit))
            else:
                self._skip_fragments(frame)
        elif self._is_sequence(tag, vr, undefined=False):
            end = min(self.position + length, frame.end)
            self.frames.append(_Frame(end, is_sequence=True, is_explicit=frame.is_explicit))
        else:
            self.position += length

    def _vr_and_length(self, frame: _Frame) -> tuple[bytes, int, int]:
        """VR (empty where none is told), length, and how many bytes these and the tag take."""
        vr = self.data[self.position + 4 : self.position + 6] if frame.is_explicit else b""
        if vr in LONG_VRS and self.position + 12 <= len(self.data):
            return vr, self._number("L", self.position + 8), 12
        if vr in SHORT_VRS or _is_word(vr):
            return vr, self._number("H", self.position + 6), 8
        return b"", self._number("L", self.position + 4), 8

    def _is_sequence(self, tag: int, vr: bytes, *, undefined: bool) -> bool:
        if vr == b"SQ" or (vr == b"UN" and undefined):
            return True
        if vr:
            return False
        try:
            return dictionary_VR(tag) == "SQ"
        except KeyError:
            return undefined and self.position + 8 <= len(self.data) and self._tag() == _ITEM

    def _skip_fragments(self, frame: _Frame) -> None:
        """Goes past encapsulated pixel data, or to the end of what they lie in."""
        while self.position + 8 <= frame.end:
            tag, length = self._tag(), self._number("L", self.position + 4)
            self.position += 8
            if tag == _SEQUENCE_END:
                return
            if tag != _ITEM or length == _UNDEFINED:
                break
            self.position += length
        self.position = frame.end

    def _tag(self) -> int:
        group, element = struct.unpack_from(f"{self.order}HH", self.data, self.position)
        return int(group) << 16 | int(element)

    def _number(self, kind: str, position: int) -> int:
        return int(struct.unpack_from(f"{self.order}{kind}", self.data, position)[0])


def check_nesting(data: bytes, most_elements: int = MOST_ELEMENTS) -> None:
    """Refuses data sets that are nested deeper, or hold more, than a radiograph's header needs.

    Args:
        data: A whole file with preamble, file meta information and transfer syntax.
        most_elements: Elements and items that it may have.

    Raises:
        BrokenDicomError: Codes `nested-too-deep`, `too-many-elements`.
    """
    syntax, offset = read_meta(data, 132)
    is_explicit = syntax != IMPLICIT_LITTLE
    vr = data[offset + 4 : offset + 6]
    walk = _Walk(data, ">" if syntax == EXPLICIT_BIG else "<", position=offset)
    # The parser believes the first element more than the transfer syntax.
    walk.frames.append(_Frame(len(data), is_sequence=False, is_explicit=_is_word(vr) if vr else is_explicit))
    count = 0
    while walk.frames:
        walk.step()
        count += 1
        if len(walk.frames) > 2 * DEEPEST + 1:
            raise BrokenDicomError(
                f"sequences are nested more than {DEEPEST} deep",
                code="nested-too-deep",
                next_step="Do not trust the file; have its source corrected.",
            )
        if count > 2 * most_elements:  # each sequence and item takes one step more to end
            raise BrokenDicomError(
                f"the data set has more than {most_elements:,} elements",
                code="too-many-elements",
                next_step="Do not trust the file; have its source corrected.",
            )


def _is_word(vr: bytes) -> bool:
    return len(vr) == 2 and vr.isalpha() and vr.isupper()
