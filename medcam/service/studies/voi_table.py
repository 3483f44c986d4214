"""A VOI LUT as a short text that a database keeps: thousands of entries in a few kilobytes."""

from __future__ import annotations

import base64
import zlib

import numpy as np

from medcam.core.arrays import FloatArray


def pack_table(table: FloatArray) -> str:
    """Packs float32 [entries]."""
    return base64.b64encode(zlib.compress(np.asarray(table, dtype="<f4").tobytes())).decode("ascii")


def unpack_table(text: str) -> FloatArray:
    """The table of a packed text: float32 [entries]."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype="<f4").astype(np.float32)
