"""Which transfer syntaxes can be decoded here."""

from __future__ import annotations

from collections.abc import Mapping

from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    JPEG2000,
    UID,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

_COMPRESSED: tuple[UID, ...] = (
    RLELossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    JPEG2000Lossless,
    JPEG2000,
)


def available_decoders() -> Mapping[str, bool]:
    """Whether a codec is installed, by the keyword of each compressed transfer syntax that radiographs come in."""
    return {syntax.keyword: bool(get_decoder(syntax).is_available) for syntax in _COMPRESSED}
