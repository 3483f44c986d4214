"""A map laid over a grey film: colour by value, opacity by value, nothing at all under the threshold."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from medcam.core.arrays import ByteArray, FloatArray
from medcam.core.errors import InvalidValueError
from medcam.overlay.colour import LEVELS, positive_colours, signed_colours

FAINTEST, STRONGEST = 0.12, 0.52
"""Opacity at no evidence and at full scale. Even full scale lets the film show through."""
_ROWS = 64
"""Rows that are worked on at a time, so that what lies between the steps stays in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Shading:
    """How values become colour, the same in the picture and in its legend.

    Args:
        full_scale: The value, in logit units per cell, that gets the last colour; larger ones get it too.
        threshold: Values up to it are not coloured.
        signed: Whether values under -threshold are coloured too, in the colours of evidence against.
        opacity: At full scale, 0 to 1; weaker evidence is fainter in proportion.
    """

    full_scale: float
    threshold: float = 0.0
    signed: bool = False
    opacity: float = STRONGEST
    _table: npt.NDArray[np.uint32] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not (self.full_scale > 0.0 and np.isfinite(self.full_scale)):
            raise InvalidValueError("a colour scale needs a positive end")
        if not self.threshold >= 0.0:
            raise InvalidValueError("a colour threshold is at least 0")
        if not 0.0 <= self.opacity <= 1.0:
            raise InvalidValueError("an opacity lies between 0 and 1")
        object.__setattr__(self, "_table", _mixed(self.signed, self.opacity))

    def blend(self, grey: ByteArray, values: FloatArray) -> ByteArray:
        """Colours a film.

        Args:
            grey: uint8 [height, width].
            values: float32 [height, width], a map in logit units per cell, resampled to the film.

        Returns:
            uint8 RGB [height, width, 3], equal to the film wherever the value does not exceed the threshold.

        Raises:
            InvalidValueError: Film and values differ in shape.
        """
        if grey.shape != values.shape:
            raise InvalidValueError(f"a map of {values.shape} does not lie on a film of {grey.shape}")
        picture = np.asarray(cv2.cvtColor(np.ascontiguousarray(grey), cv2.COLOR_GRAY2RGB), dtype=np.uint8)
        for top in range(0, grey.shape[0], _ROWS):
            strip = np.s_[top : top + _ROWS]
            part = values[strip]
            shown = np.abs(part) > self.threshold if self.signed else part > self.threshold
            if shown.any():
                mixed = self._table.take(self._levels(part) * np.uint16(256) + grey[strip])
                colours = cv2.cvtColor(mixed.view(np.uint8).reshape(*mixed.shape, 4), cv2.COLOR_RGBA2RGB)
                cv2.copyTo(colours, shown.view(np.uint8), picture[strip])
        return picture

    def _levels(self, values: FloatArray) -> npt.NDArray[np.uint16]:
        low = -self.full_scale if self.signed else 0.0
        share = (values - low) / (self.full_scale - low)
        return np.asarray(np.clip(np.rint(share * (LEVELS - 1)), 0, LEVELS - 1), dtype=np.uint16)


@lru_cache(maxsize=8)
def _mixed(signed: bool, opacity: float) -> npt.NDArray[np.uint32]:
    """What each level makes of each grey, worked out once: a film has a million pixels, and this 65,000 entries.

    Returns:
        uint32 [LEVELS * 256], read-only, at 256 * level + grey; the bytes of an entry are red, green, blue and nothing.
    """
    colours = _colours(signed)[:, None, :]
    opacities = (_opacities(signed) * np.float32(opacity / STRONGEST))[:, None, None]
    under = np.arange(256, dtype=np.float32)[None, :, None]
    table = np.zeros((LEVELS, 256, 4), dtype=np.uint8)
    table[:, :, :3] = np.rint(under + opacities * (colours - under)).astype(np.uint8)
    entries = table.view(np.uint32).ravel()
    entries.flags.writeable = False
    return entries


def _colours(signed: bool) -> ByteArray:
    return signed_colours() if signed else positive_colours()


def _opacities(signed: bool) -> FloatArray:
    """Opacity of each level, rising with the square root of the value: weak evidence is seen, strong does not hide."""
    strength = np.abs(np.linspace(-1.0, 1.0, LEVELS)) if signed else np.linspace(0.0, 1.0, LEVELS)
    return np.asarray(FAINTEST + (STRONGEST - FAINTEST) * np.sqrt(strength), dtype=np.float32)
