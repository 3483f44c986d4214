"""A raw map on the pixels of its film."""

from __future__ import annotations

from medcam.core.activation import ActivationMap
from medcam.core.arrays import BoolArray, FloatArray
from medcam.core.geometry import Box
from medcam.core.resample import Sampler


def to_source(
    activation: ActivationMap, height: int | None = None, width: int | None = None, *, window: Box | None = None
) -> FloatArray:
    """Resamples a map bicubically onto the film, through crops, pads and flips.

    Args:
        activation: The raw map.
        height: Rows of the output; the source's own (or the window's, rounded) when None.
        width: Columns, likewise.
        window: The part of the film to look at, in source pixels; None for the whole film.

    Returns:
        float32 [height, width] in logit units, signed. Pixels outside the model's view hold 0, which is no evidence
        either way: `seen` tells them from cells that really are 0. The kernel is that of `medcam.core.resample`.

    Raises:
        InvalidValueError: The output has no pixel.
    """
    return _sampler(activation, height, width, window).apply(activation.values)


def seen(
    activation: ActivationMap, height: int | None = None, width: int | None = None, *, window: Box | None = None
) -> BoolArray:
    """Which pixels of `to_source` lie within the model's view: bool [height, width]; same arguments."""
    return _sampler(activation, height, width, window).inside


def _sampler(activation: ActivationMap, height: int | None, width: int | None, window: Box | None) -> Sampler:
    transform = activation.transform
    own_height = window.height if window else transform.source_height
    own_width = window.width if window else transform.source_width
    return Sampler.to_source(
        transform,
        max(1, round(own_height)) if height is None else height,
        max(1, round(own_width)) if width is None else width,
        window,
    )
