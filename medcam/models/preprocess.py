"""From a radiograph to a model's input: intensity, aspect, size, and where each input pixel lies in the source."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from medcam.core.arrays import BoolArray, FloatArray, frozen_array
from medcam.core.card import InputRecipe
from medcam.core.errors import InvalidValueError
from medcam.core.geometry import GridTransform
from medcam.core.protocols import ModelInput
from medcam.core.radiograph import Radiograph
from medcam.models.isotropic import to_isotropic

PERCENTILES = {"percentile": (0.5, 99.5), "full": (0.02, 99.98), "window": (0.5, 99.5)}
"""Percentiles of the unpadded pixels that become 0 and 1, by intensity recipe; what lies beyond is clipped."""

DISPLAY = "display"
"""The intensity recipe that takes brightness as it is shown, black as 0 and white as 1, and stretches nothing."""

SAMPLES = 250_000
"""Percentiles are read from about this many evenly spaced pixels of a large film."""


def prepare(radiograph: Radiograph, recipe: InputRecipe) -> ModelInput:
    """Prepares a radiograph by a model card's recipe.

    Args:
        radiograph: Denser is brighter. Pixels that are not square are made so.
        recipe: Intensity "percentile" (of the pixels after the Modality LUT), "full" (the same with hardly any of
            them clipped, where the extremes matter), "window" (the same of the displayed brightness) or "display"
            (displayed brightness as it is); fit "pad" or "crop".

    Returns:
        float32 [channels, height, width]: from the recipe's black to its white, black where padded; or, where it has
        none, zero mean and unit variance over the film, 0 where padded.

    Raises:
        InvalidValueError: The recipe names an unknown intensity or fit.
    """
    shown = recipe.intensity in ("window", DISPLAY)
    pixels = radiograph.window.apply(radiograph.pixels) if shown else radiograph.pixels
    return _prepare(pixels, radiograph.padding, recipe, radiograph.pixel_aspect)


def prepare_array(pixels: npt.ArrayLike, recipe: InputRecipe) -> ModelInput:
    """The same for a plain array [height, width], denser brighter, without padding, on square pixels.

    For the intensity "display" it holds brightness, 0 (black) to 1 (white).
    """
    values = np.asarray(pixels, dtype=np.float32)
    if values.ndim != 2 or 0 in values.shape or not np.isfinite(values).all():
        raise InvalidValueError("a film must be a finite array [height, width]")
    return _prepare(values, None, recipe, 1.0)


def checked_inputs(inputs: FloatArray, recipe: InputRecipe) -> Tensor:
    """Inputs as a tensor, once their shape was found to be the recipe's.

    Raises:
        InvalidValueError: They are not float32 [n, channels, height, width] of that recipe, or n is 0.
    """
    values = np.require(inputs, np.float32, ["C", "W"])
    if values.ndim != 4 or values.shape[1:] != (recipe.channels, recipe.height, recipe.width) or not len(values):
        wanted = f"[n, {recipe.channels}, {recipe.height}, {recipe.width}]"
        raise InvalidValueError(f"inputs must be {wanted}, not {values.shape}")
    return torch.from_numpy(values)


def _prepare(pixels: FloatArray, padding: BoolArray | None, recipe: InputRecipe, aspect: float) -> ModelInput:
    if recipe.intensity not in (*PERCENTILES, DISPLAY):
        raise InvalidValueError(f"unknown intensity recipe {recipe.intensity!r}")
    if recipe.fit not in FITS:
        raise InvalidValueError(f"unknown fit {recipe.fit!r}")
    scaled, known = _rescale(pixels, padding, PERCENTILES.get(recipe.intensity))
    scaled, known, square = to_isotropic(scaled, known, aspect)
    scaled, known, transform = FITS[recipe.fit](scaled, known, square)
    small = _area_resize(scaled, recipe.height, recipe.width)
    weight = _weight(known, recipe.height, recipe.width)
    stacked = np.repeat(_valued(small, weight, recipe)[None], recipe.channels, axis=0)
    return ModelInput(stacked, transform.resize(recipe.height, recipe.width))


def _valued(small: FloatArray, weight: FloatArray, recipe: InputRecipe) -> FloatArray:
    """Intensities 0..1, 0 where there is no film, in the recipe's values."""
    if recipe.black is not None and recipe.white is not None:
        return np.asarray(recipe.black + small * np.float32(recipe.white - recipe.black), dtype=np.float32)
    inside = weight > 0.5
    values = np.zeros_like(small)
    if inside.any():
        film = small[inside] / weight[inside]
        values[inside] = (film - film.mean()) / max(float(film.std()), 1e-6)
    return values


def _rescale(
    pixels: FloatArray, padding: BoolArray | None, percentiles: tuple[float, float] | None
) -> tuple[FloatArray, FloatArray]:
    """Percentiles to 0..1, or what is in 0..1 already; returns (values with 0 where padded, 1 where there is film)."""
    known = _everywhere(pixels.shape) if padding is None else (~padding).astype(np.float32)
    film = pixels.reshape(-1) if padding is None else pixels[~padding]
    if film.size == 0:
        return np.zeros_like(pixels), np.zeros_like(known)
    low, high = (0.0, 1.0) if percentiles is None else np.percentile(film[:: max(1, film.size // SAMPLES)], percentiles)
    scaled = np.subtract(pixels, np.float32(low), dtype=np.float32)
    scaled /= np.float32(max(high - low, 1e-6))
    np.clip(scaled, 0.0, 1.0, out=scaled)
    if padding is not None:
        scaled *= known
    return scaled, known


def _everywhere(shape: tuple[int, ...]) -> FloatArray:
    """1 in every pixel, in the memory of one."""
    return np.broadcast_to(np.float32(1.0), shape)


Fitted = tuple[FloatArray, FloatArray, GridTransform]


def _pad(values: FloatArray, known: FloatArray, film: GridTransform) -> Fitted:
    """Centres the whole film on a square; the border counts as padding."""
    height, width = values.shape
    side = max(height, width)
    if height == width:
        return values, known, film
    top, left = (side - height) // 2, (side - width) // 2
    margins = ((top, side - height - top), (left, side - width - left))
    transform = film.pad(*margins[0], *margins[1])
    return np.pad(values, margins), np.pad(known, margins), transform


def _crop(values: FloatArray, known: FloatArray, film: GridTransform) -> Fitted:
    """Takes the central square."""
    height, width = values.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    rows, columns = slice(top, top + side), slice(left, left + side)
    transform = film.crop(top, left, side, side)
    return values[rows, columns], known[rows, columns], transform


FITS: dict[str, Callable[[FloatArray, FloatArray, GridTransform], Fitted]] = {"pad": _pad, "crop": _crop}


def _weight(known: FloatArray, height: int, width: int) -> FloatArray:
    """How much film there is under each pixel of the input."""
    if known.strides == (0, 0) or (known == 1.0).all():
        return _weight_of_film(*known.shape, height, width)
    return _area_resize(known, height, width)


@lru_cache(maxsize=8)
def _weight_of_film(rows: int, columns: int, height: int, width: int) -> FloatArray:
    """The same of film everywhere, which rounding leaves a little off 1: a detector's films are of one size."""
    return frozen_array(_area_resize(np.ones((rows, columns), np.float32), height, width), np.float32, 2, "weight")


def _area_resize(values: FloatArray, height: int, width: int) -> FloatArray:
    """Antialiased resize: area averages when shrinking, bilinear when enlarging."""
    if values.shape == (height, width):
        return values
    tensor = torch.from_numpy(np.ascontiguousarray(values))[None, None]
    shrinks = height <= values.shape[0] and width <= values.shape[1]
    exact = shrinks and values.shape[0] % height == 0 and values.shape[1] % width == 0
    if exact:
        resized = F.avg_pool2d(tensor, (values.shape[0] // height, values.shape[1] // width))
    else:
        resized = F.interpolate(tensor, size=(height, width), mode="bilinear", align_corners=False, antialias=True)
    return np.asarray(resized[0, 0].numpy(), dtype=np.float32)
