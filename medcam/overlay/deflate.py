"""DEFLATE (RFC 1951), packed as quickly as this machine can: by ISA-L, or by zlib where that is not installed."""

from __future__ import annotations

import zlib
from importlib import import_module
from types import ModuleType

from medcam.core.arrays import ByteArray

LEVEL = 2
"""Measured on overlays, and tried on a film: docs/decisions/0018-png-by-isa-l.md."""
_GZIP = 31
"""Window of 32 KiB, in a gzip stream (RFC 1952) without a time or a name."""


def _quickest() -> ModuleType:
    try:
        return import_module("isal.isal_zlib")
    except ImportError:
        return zlib


_packer = _quickest()


def zlib_packed(data: bytes | ByteArray) -> bytes:
    """A zlib stream (RFC 1950): the same bytes for the same data on one machine, others perhaps on another."""
    return bytes(_packer.compress(data, LEVEL))


def gzip_packed(data: bytes | ByteArray) -> bytes:
    """A gzip stream (RFC 1952), as repeatable."""
    return bytes(_packer.compress(data, LEVEL, _GZIP))
