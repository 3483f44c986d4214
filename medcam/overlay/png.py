"""PNG files: quick to encode, the same bytes for the same picture, never half written."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path

import numpy as np

from medcam.core.arrays import ByteArray
from medcam.core.errors import InvalidValueError, MedcamError
from medcam.overlay.deflate import zlib_packed

_SUB = 1
"""The filter of every line: each byte less that of the pixel at its left (PNG specification, 9.2)."""
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _RGB = 0, 2
_LARGEST = 1 << 31


def encode_png(picture: ByteArray) -> bytes:
    """Encodes a picture losslessly.

    Args:
        picture: uint8 [height, width] grey or [height, width, 3] RGB.

    Returns:
        The file's bytes: no time stamp or other text in them, so equal pictures give equal bytes on one machine.
        Another processor may pack them otherwise; what the picture shows is the same.

    Raises:
        InvalidValueError: The array is no such picture.
        MedcamError: It is larger than a PNG chunk may be; code "png".
    """
    array = np.asarray(picture)
    colour = array.ndim == 3 and array.shape[2] == 3
    if array.dtype != np.uint8 or array.size == 0 or not (array.ndim == 2 or colour):
        raise InvalidValueError(f"a picture is uint8 grey or RGB, not {array.dtype} {array.shape}")
    if array.size + array.shape[0] >= _LARGEST:
        raise MedcamError("a PNG cannot hold the picture", code="png", next_step="Ask for a smaller picture.")
    header = struct.pack(">2I5B", array.shape[1], array.shape[0], 8, _RGB if colour else _GREY, 0, 0, 0)
    packed = zlib_packed(filtered(array))
    return b"".join((_SIGNATURE, *_chunk(b"IHDR", header), *_chunk(b"IDAT", packed), *_chunk(b"IEND", b"")))


def filtered(picture: ByteArray) -> ByteArray:
    """The lines of a picture as PNG packs them: each behind the number of its filter, bytes as differences.

    Args:
        picture: As for `encode_png`.

    Returns:
        uint8 [height, 1 + width * channels].
    """
    rows = picture.reshape(picture.shape[0], -1)
    channels = rows.shape[1] // picture.shape[1]
    lines = np.empty((rows.shape[0], rows.shape[1] + 1), dtype=np.uint8)
    lines[:, 0] = _SUB
    lines[:, 1 : 1 + channels] = rows[:, :channels]
    np.subtract(rows[:, channels:], rows[:, :-channels], out=lines[:, 1 + channels :])
    return lines


def _chunk(kind: bytes, data: bytes) -> tuple[bytes, ...]:
    check = zlib.crc32(data, zlib.crc32(kind))
    return struct.pack(">I", len(data)), kind, data, struct.pack(">I", check)


def save_png(path: Path | str, picture: ByteArray) -> Path:
    """Writes a picture so that the file is complete or absent, even when the process is killed.

    Args:
        path: Where to; its folder must exist. An older file is replaced.
        picture: As for `encode_png`.

    Returns:
        The path.

    Raises:
        InvalidValueError: The array is no picture.
        OSError: The file cannot be written.
    """
    target = Path(path)
    data = encode_png(picture)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target
