"""Lookup tables: items of a Modality LUT Sequence or a VOI LUT Sequence (DICOM PS3.3 C.11.1, C.11.2)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from medcam.core.arrays import FloatArray
from medcam.dicom.errors import PixelDataError
from medcam.dicom.header import Header

_HALF = 1 << 15
_FULL = 1 << 16
_BYTE = 8


@dataclass(frozen=True, eq=False)
class LookupTable:
    """A table and where it begins.

    Args:
        entries: uint16 [n], at least one.
        first_mapped: The input value that the first entry belongs to; smaller ones get it too.
        bits: Bits per entry.
    """

    entries: npt.NDArray[np.uint16] = field(repr=False)
    first_mapped: int
    bits: int

    def __call__(self, values: npt.NDArray[np.integer]) -> FloatArray:
        """float32 table entries of integer values; values beyond the table take its ends."""
        index = np.clip(values.astype(np.int64) - self.first_mapped, 0, self.entries.size - 1)
        return self.entries.astype(np.float32)[index]

    @property
    def ends(self) -> tuple[float, float]:
        """Smallest and largest entry."""
        return float(self.entries.min()), float(self.entries.max())

    @property
    def falls(self) -> bool:
        """Whether larger inputs give smaller outputs, judged by the two ends."""
        return int(self.entries[-1]) < int(self.entries[0])


def read_table(item: Header, domain: tuple[float, float], *, little_endian: bool) -> LookupTable:
    """Reads a LUT item.

    Args:
        item: The sequence's item.
        domain: Smallest and largest value that the table may be asked for. The descriptor's second value is stored as
            US or SS without telling which; the domain decides.
        little_endian: Byte order of tables stored as OW.

    Raises:
        PixelDataError: Code `invalid-lut`.
    """
    descriptor = item.numbers("LUTDescriptor")
    if len(descriptor) != 3:
        raise PixelDataError("a LUT Descriptor does not have three values", code="invalid-lut")
    count = int(descriptor[0]) % _FULL or _FULL
    bits = int(descriptor[2])
    entries = _entries(item, count, bits, little_endian=little_endian)
    if entries.size == 0 or not 1 <= bits <= 16:
        raise PixelDataError("a lookup table is empty, or its depth impossible", code="invalid-lut")
    if entries.size < count:
        item.warn("a lookup table is shorter than its descriptor says")
    return LookupTable(entries[:count], _first_mapped(int(descriptor[1]), domain), bits)


def _first_mapped(value: int, domain: tuple[float, float]) -> int:
    low, high = domain
    if value >= _HALF and low < 0 and value > high:
        return value - _FULL
    if value < 0 and low >= 0:
        return value + _FULL
    return value


def _entries(item: Header, count: int, bits: int, *, little_endian: bool) -> npt.NDArray[np.uint16]:
    values = item.values("LUTData")
    if len(values) == 1 and isinstance(values[0], bytes | bytearray):
        raw = bytes(values[0])
        order = "<u2" if little_endian else ">u2"
        words = np.frombuffer(raw[: len(raw) // 2 * 2], order).astype(np.uint16)
        if len(raw) == count and count % 2:  # an odd number of bytes has no words
            return np.frombuffer(raw, np.uint8).astype(np.uint16)
    else:
        numbers = np.array(item.numbers("LUTData"), dtype=np.int64)
        words = (numbers % _FULL).astype(np.uint16)  # entries are unsigned, even where the VR was taken for SS
    if bits <= _BYTE and count > 1 and words.size == (count + 1) // 2:
        # Entries of eight bits, two to a word. The length tells, not the descriptor: many write a word for each.
        return np.stack([words & 0xFF, words >> _BYTE], axis=-1).reshape(-1)
    return words
