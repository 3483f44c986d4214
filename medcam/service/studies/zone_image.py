"""Where the anatomy lies on a film, as a small picture of zone numbers that a database keeps."""

from __future__ import annotations

import struct
import zlib

import numpy as np

from medcam.core.arrays import BoolArray
from medcam.core.errors import InputError
from medcam.core.finding import ZonesSource
from medcam.core.zones import ZONES, Zones

_HEADER = struct.Struct("<4sHHf12s")
_MAGIC = b"MCZ1"


def pack_zones(zones: Zones) -> bytes:
    """Packs zones; 192 pixels along the longer side take some kilobytes."""
    first = next(iter(zones.masks.values()))
    numbers = np.zeros(first.shape, dtype=np.uint8)
    for number, name in enumerate(ZONES):
        numbers[zones.masks[name]] = number
    source = zones.source.value.encode("ascii")
    header = _HEADER.pack(_MAGIC, *first.shape, zones.quality, source)
    return header + zlib.compress(numbers.tobytes())


def unpack_zones(data: bytes) -> Zones:
    """Zones of packed data.

    Raises:
        InputError: The data are damaged (code `damaged-zones`).
    """
    try:
        magic, height, width, quality, source = _HEADER.unpack_from(data)
        packed = data[_HEADER.size :] if magic == _MAGIC else b""
        numbers = np.frombuffer(zlib.decompress(packed), dtype=np.uint8).reshape(height, width)
        masks: dict[str, BoolArray] = {name: numbers == number for number, name in enumerate(ZONES)}
        where = ZonesSource(source.rstrip(b"\0").decode("ascii"))
        return Zones(masks, where, round(float(quality), 6))
    except (ValueError, struct.error, zlib.error) as error:
        raise InputError(
            "the zones of a film in the store are damaged",
            code="damaged-zones",
            next_step="Restore the store from a backup: `medcam store restore`.",
        ) from error
