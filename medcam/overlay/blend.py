"""A map laid over a grey film: colour by value, opacity by value, nothing at all under the threshold."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from medcam.core.arrays import ByteArray, FloatArray
from medcam.core.errors import InvalidValueError
from medcam.overlay.colour import LEVELS, positive_colours, signed_colours

FAINTEST, STRONGEST = 0.12, 0.52
"""Opacity at no evidence and at full scale. Even full scale lets the film show through."""


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
    _mixes: tuple[ByteArray, FloatArray] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not (self.full_scale > 0.0 and np.isfinite(self.full_scale)):
            raise InvalidValueError("a colour scale needs a positive end")
        if not self.threshold >= 0.0:
            raise InvalidValueError("a colour threshold is at least 0")
        if not 0.0 <= self.opacity <= 1.0:
            raise InvalidValueError("an opacity lies between 0 and 1")
        object.__setattr__(
            self, "_mixes", (_colours(self.signed), _opacities(self.signed) * np.float32(self.opacity / STRONGEST))
        )

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
        picture: ByteArray = np.repeat(grey[:, :, None], 3, axis=2)
        shown = np.abs(values) > self.threshold if self.signed else values > self.threshold
        rows, columns = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
        if rows.size == 0:
            return picture
        window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        where = shown[window]
        level = self._levels(values[window][where])
        colours, opacities = self._mixes
        opacity = opacities[level][:, None]
        under = picture[window][where].astype(np.float32)
        picture[window][where] = np.rint(under + opacity * (colours[level] - under)).astype(np.uint8)
        return picture

    def _levels(self, values: FloatArray) -> npt.NDArray[np.intp]:
        low = -self.full_scale if self.signed else 0.0
        share = (values - low) / (self.full_scale - low)
        return np.asarray(np.clip(np.rint(share * (LEVELS - 1)), 0, LEVELS - 1), dtype=np.intp)


def _colours(signed: bool) -> ByteArray:
    return signed_colours() if signed else positive_colours()


def _opacities(signed: bool) -> FloatArray:
    """Opacity of each level, rising with the square root of the value: weak evidence is seen, strong does not hide."""
    strength = np.abs(np.linspace(-1.0, 1.0, LEVELS)) if signed else np.linspace(0.0, 1.0, LEVELS)
    return np.asarray(FAINTEST + (STRONGEST - FAINTEST) * np.sqrt(strength), dtype=np.float32)
