"""Small encoders of JPEG (ISO 10918-1) and RLE (PS3.5 Annex G), so that no codec is judged by its own twin.

JPEG is written with quantisation by 1 alone (sequential DCT: what is lost is rounding) or without loss (process 14,
predictor 1), with Huffman tables of one code length. Nothing is optimised: the images have a few thousand pixels.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

_SIDE = 8


def sequential_jpeg(samples: npt.NDArray[np.integer], precision: int, *, scan_end: int = 63) -> bytes:
    """Sequential DCT: baseline for a precision of 8, extended (process 4) for 12.

    Args:
        samples: [rows, columns], or [rows, columns, 3] components as they are to be coded, without subsampling.
        precision: Bits per sample, 8 or 12.
        scan_end: Ss and Se of the scan header must be 0 and 63; some encoders write 0 for Se.
    """
    planes = samples[..., None] if samples.ndim == 2 else samples
    rows, columns, count = planes.shape
    tables = _huffman(0, range(precision + 4)) + _huffman(16, _ac_symbols(precision + 2))
    frame = struct.pack(">BHHB", precision, rows, columns, count)
    frame += b"".join(bytes((1 + index, 0x11, 0)) for index in range(count))
    scan = bytes([count]) + b"".join(bytes((1 + index, 0)) for index in range(count)) + bytes((0, scan_end, 0))
    coded = _dct_scan(planes, precision)
    parts = [_segment(0xDB, b"\0" + b"\1" * 64), _segment(0xC0 if precision == 8 else 0xC1, frame), tables]
    return b"\xff\xd8" + b"".join(parts) + _segment(0xDA, scan) + coded + b"\xff\xd9"


def lossless_jpeg(samples: npt.NDArray[np.integer], precision: int) -> bytes:
    """Process 14, selection value 1: each sample is predicted by its left neighbour; [rows, columns] unsigned."""
    rows, columns = samples.shape
    values = samples.astype(np.int64)
    predicted = np.empty_like(values)
    predicted[:, 1:] = values[:, :-1]
    predicted[1:, 0] = values[:-1, 0]
    predicted[0, 0] = 1 << (precision - 1)
    bits = _Bits()
    for difference in (values - predicted).ravel():
        wrapped = (int(difference) + 32767) % 65536 - 32767  # H.1.2.2: modulo 2 ** 16
        _put(bits, wrapped, lambda size: (size, _code_length(17)))
    frame = struct.pack(">BHHB", precision, rows, columns, 1) + bytes((1, 0x11, 0))
    parts = [_segment(0xC3, frame), _huffman(0, range(17)), _segment(0xDA, bytes((1, 1, 0, 1, 0, 0)))]
    return b"\xff\xd8" + b"".join(parts) + bits.stuffed() + b"\xff\xd9"


def run_length(stored: npt.NDArray[np.integer]) -> bytes:
    """RLE frame (PS3.5 G.3): a segment per byte of a sample, most significant first; grey [rows, columns]."""
    size = stored.dtype.itemsize
    octets = stored.astype(stored.dtype.newbyteorder(">")).view(np.uint8).reshape(stored.size, size)
    rows = stored.shape[0]
    segments = [
        b"".join(_pack_bits(row.tobytes()) for row in octets[:, byte].reshape(rows, -1)) for byte in range(size)
    ]
    segments = [segment + b"\0" * (len(segment) % 2) for segment in segments]
    offsets = [64 + sum(map(len, segments[:index])) for index in range(size)]
    return struct.pack("<16L", size, *offsets, *[0] * (15 - size)) + b"".join(segments)


def _pack_bits(row: bytes) -> bytes:
    out, start = b"", 0
    while start < len(row):
        run = next((i for i, value in enumerate(row[start : start + 128]) if value != row[start]), None)
        length = min(128, len(row) - start) if run is None else run
        if length > 1:
            out += bytes((257 - length, row[start]))
        else:
            out += bytes((0, row[start]))
        start += length
    return out


class _Bits:
    def __init__(self) -> None:
        self._text: list[str] = []

    def put(self, value: int, count: int) -> None:
        if count:
            self._text.append(format(value, f"0{count}b"))

    def stuffed(self) -> bytes:
        """Padded with ones; a zero byte after each 0xFF (B.1.1.5)."""
        text = "".join(self._text)
        text += "1" * (-len(text) % 8)
        data = int(text, 2).to_bytes(len(text) // 8, "big")
        return data.replace(b"\xff", b"\xff\0")


def _put(bits: _Bits, value: int, code_of: Callable[[int], tuple[int, int]]) -> None:
    """A difference or coefficient: the code of its size, then its bits (F.1.2.1)."""
    size = abs(value).bit_length()
    code, length = code_of(size)
    bits.put(code, length)
    if size < 16:
        bits.put(value if value > 0 else value + (1 << size) - 1, size)


def _dct_scan(planes: npt.NDArray[np.integer], precision: int) -> bytes:
    rows, columns, count = planes.shape
    shifted = planes.astype(np.float64) - (1 << (precision - 1))
    padded = np.pad(shifted, ((0, -rows % _SIDE), (0, -columns % _SIDE), (0, 0)), mode="edge")
    wave = np.arange(_SIDE)
    basis = np.cos((2 * wave[None] + 1) * wave[:, None] * math.pi / 16) / 2
    basis[0] /= math.sqrt(2.0)
    order = sorted(range(64), key=lambda k: (k // 8 + k % 8, k // 8 if (k // 8 + k % 8) % 2 else k % 8))
    ac = {symbol: code for code, symbol in enumerate(_ac_symbols(precision + 2))}
    bits, last = _Bits(), [0] * count
    for top in range(0, padded.shape[0], _SIDE):
        for left in range(0, padded.shape[1], _SIDE):
            for index in range(count):
                block = basis @ padded[top : top + _SIDE, left : left + _SIDE, index] @ basis.T
                zigzag = [round(block.ravel()[position]) for position in order]
                _put(bits, zigzag[0] - last[index], lambda size: (size, _code_length(precision + 4)))
                last[index] = zigzag[0]
                _put_ac(bits, zigzag[1:], ac)
    return bits.stuffed()


def _put_ac(bits: _Bits, values: list[int], ac: dict[int, int]) -> None:
    length = _code_length(len(ac))
    while values and values[-1] == 0:
        values.pop()
    run = 0
    for value in values:
        if value == 0:
            run += 1
            continue
        while run > 15:
            bits.put(ac[0xF0], length)
            run -= 16
        _put(bits, value, _run_code(ac, run, length))
        run = 0
    if len(values) < 63:
        bits.put(ac[0x00], length)


def _run_code(ac: dict[int, int], run: int, length: int) -> Callable[[int], tuple[int, int]]:
    return lambda size: (ac[run << 4 | size], length)


def _ac_symbols(sizes: int) -> list[int]:
    """End of block, sixteen zeros, and every run before every size (F.1.2.2)."""
    return [0x00, 0xF0] + [run << 4 | size for run in range(16) for size in range(1, sizes + 1)]


def _code_length(symbols: int) -> int:
    """Bits of a code for so many symbols; the code of all ones stays free (C.2)."""
    return symbols.bit_length()


def _huffman(target: int, symbols: range | list[int]) -> bytes:
    values = bytes(symbols)
    counts = [0] * 16
    counts[_code_length(len(values)) - 1] = len(values)
    return _segment(0xC4, bytes([target]) + bytes(counts) + values)


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body
