"""Makes well-formed DICOM Part 10 bytes out of what is found in the wild.

Files come without preamble, without file meta information, or with meta information that names no transfer syntax. The
encoding is then found out by walking the first elements under each hypothesis. A deflated data set is inflated here,
within a limit, since a small file can otherwise fill the memory.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from pydicom.datadict import dictionary_has_tag

from medcam.dicom.errors import BrokenDicomError, NotDicomError

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
DEFLATED_LITTLE = "1.2.840.10008.1.2.1.99"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"

_MAGIC = slice(128, 132)
_TRANSFER_SYNTAX = (0x0002, 0x0010)
_UNDEFINED = 0xFFFFFFFF
LONG_VRS = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"))
SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_WALK = 24
_ENOUGH = 2
_INFLATE_LIMIT = 1 << 30
_INFLATE_HARMLESS = 64 << 20
_INFLATE_RATIO = 100
"""Radiographs deflate to about half. What is packed a hundred times tighter and is large is not worth its memory."""


@dataclass(frozen=True, slots=True)
class _Element:
    group: int
    element: int
    value: int
    length: int

    @property
    def end(self) -> int:
        return self.value + self.length


def has_magic(data: bytes) -> bool:
    """Whether the bytes carry "DICM" after a 128 byte preamble (DICOM PS3.10 section 7.1)."""
    return data[_MAGIC] == b"DICM"


def well_formed(data: bytes) -> bytes:
    """Returns bytes with preamble, file meta information and a transfer syntax, ready for a DICOM parser.

    Args:
        data: A whole file.

    Returns:
        The same bytes where nothing was missing.

    Raises:
        NotDicomError: The bytes do not look like DICOM in any encoding.
        BrokenDicomError: They carry DICM, and then nothing that can be read; or they inflate to far too much.
    """
    start = 132 if has_magic(data) else 0
    syntax, offset = read_meta(data, start)
    if syntax == DEFLATED_LITTLE:
        return _wrapped(_inflate(data[offset:]), EXPLICIT_LITTLE)
    if syntax:
        return data if start else bytes(128) + b"DICM" + data
    guess = guess_encoding(data, offset)
    if guess is None:
        if start or offset:
            raise BrokenDicomError("the file starts like DICOM, but no data set follows")
        raise NotDicomError("the file does not look like DICOM in any encoding")
    return _wrapped(data[offset:], guess)


def guess_encoding(data: bytes, offset: int) -> str | None:
    """Transfer syntax UID under which most of the first elements make sense, or None.

    An element makes sense when its tag is larger than the one before it, is in the dictionary, private or a group
    length, has a known VR (in explicit encodings), and its value ends within the data.
    """
    scores = {
        EXPLICIT_LITTLE: _walk(data, offset, explicit=True, order="<"),
        IMPLICIT_LITTLE: _walk(data, offset, explicit=False, order="<"),
        EXPLICIT_BIG: _walk(data, offset, explicit=True, order=">"),
    }
    best = max(scores, key=lambda syntax: scores[syntax])
    return best if scores[best] >= _ENOUGH else None


def read_meta(data: bytes, start: int) -> tuple[str | None, int]:
    """Transfer syntax named by group 0002 (None if it names none), and where the data set begins.

    Args:
        data: A file.
        start: Where group 0002 would begin: after preamble and "DICM", where there are any.
    """
    offset, syntax = start, None
    while True:
        element = _element(data, offset, explicit=True, order="<") or _element(data, offset, explicit=False, order="<")
        if element is None or element.group != 0x0002 or element.end > len(data):
            return syntax, offset
        if (element.group, element.element) == _TRANSFER_SYNTAX:
            syntax = data[element.value : element.end].rstrip(b"\0 ").decode("ascii", "replace")
        offset = element.end


def _element(data: bytes, offset: int, *, explicit: bool, order: str) -> _Element | None:
    if offset + 8 > len(data):
        return None
    group, number = struct.unpack_from(f"{order}HH", data, offset)
    if not explicit:
        return _Element(group, number, offset + 8, struct.unpack_from(f"{order}L", data, offset + 4)[0])
    vr = data[offset + 4 : offset + 6]
    if vr in SHORT_VRS:
        return _Element(group, number, offset + 8, struct.unpack_from(f"{order}H", data, offset + 6)[0])
    if vr in LONG_VRS and offset + 12 <= len(data):
        return _Element(group, number, offset + 12, struct.unpack_from(f"{order}L", data, offset + 8)[0])
    return None


def _walk(data: bytes, offset: int, *, explicit: bool, order: str) -> int:
    """How many of the first elements make sense; 0 unless the first one belongs to group 0008."""
    last, count = -1, 0
    while count < _WALK:
        element = _element(data, offset, explicit=explicit, order=order)
        if element is None or not _plausible(element, last) or (count == 0 and element.group != 0x0008):
            break
        if element.length == _UNDEFINED or element.end > len(data):
            return count + (element.length == _UNDEFINED)
        last, offset, count = element.group << 16 | element.element, element.end, count + 1
    return count


def _plausible(element: _Element, last: int) -> bool:
    tag = element.group << 16 | element.element
    known = element.group % 2 == 1 or element.element == 0 or dictionary_has_tag(tag)
    return tag > last and known


def _wrapped(dataset: bytes, syntax: str) -> bytes:
    uid = syntax.encode("ascii")
    uid += b"\0" * (len(uid) % 2)
    element = struct.pack("<HH2sH", *_TRANSFER_SYNTAX, b"UI", len(uid)) + uid
    length = struct.pack("<HH2sHL", 0x0002, 0x0000, b"UL", 4, len(element))
    return bytes(128) + b"DICM" + length + element + dataset


def _inflate(data: bytes) -> bytes:
    limit = min(_INFLATE_LIMIT, max(_INFLATE_HARMLESS, _INFLATE_RATIO * len(data)))
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated = inflater.decompress(data, limit)
    if inflater.unconsumed_tail:
        raise BrokenDicomError(
            "the deflated data set unpacks to far more than a radiograph",
            code="too-large",
            next_step="Store the object with another transfer syntax, if it is what it claims to be.",
        )
    return inflated
