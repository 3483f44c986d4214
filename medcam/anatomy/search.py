"""Where two lungs lie on a film, roughly: the atlas's lungs, at many sizes, laid everywhere by correlation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft, ndimage

from medcam.anatomy.atlas import LUNG_BOX, SIDE, Atlas
from medcam.anatomy.grid import Box, resample, shrink, wide_mean
from medcam.core.arrays import BoolArray, FloatArray

ComplexArray = npt.NDArray[np.complexfloating[Any, Any]]
COARSE = 64
"""Pixels along the longer side of the search grid."""
FFT_SHAPE = (3 * COARSE // 2, 3 * COARSE // 2)
"""A film and half of it again: that far, a quarter of the largest template on each side, lungs may stick out of it."""
WIDTHS = tuple(np.geomspace(0.34, 0.92, 8))
"""Widths of the box around both lungs that are tried, as shares of the film's longer side."""
USUAL_WIDTH = 0.62
"""The commonest of these widths on films taken for the chest."""
STRETCHES = (-0.36, -0.18, 0.0, 0.18, 0.36)
"""Natural logarithms of the heights that are tried, against the atlas's aspect."""
OFF_CENTRE = 3.0
"""Score lost by lungs whose middle lies aside of the body's, per square of the film's width."""
SURROUND = 0.16
"""How far the template reaches beyond the lungs' box, as a share of the box."""


@dataclass(frozen=True, slots=True)
class Placement:
    """A box around both lungs, in pixels of the working grid.

    Args:
        left: Its left edge.
        top: Its upper edge.
        right: Its right edge.
        bottom: Its lower edge.
        score: Correlation of film and atlas there, -1 to 1.
    """

    left: float
    top: float
    right: float
    bottom: float
    score: float

    @property
    def box(self) -> Box:
        """Left, top, right, bottom."""
        return self.left, self.top, self.right, self.bottom


def local_contrast(values: FloatArray, known: BoolArray, reach: float) -> FloatArray:
    """Brightness against the surroundings, in standard deviations of the surroundings.

    Args:
        values: float32 [height, width].
        known: bool [height, width]; other pixels are left out of every mean.
        reach: Standard deviation of the Gaussian neighbourhood in pixels.

    Returns:
        float32 [height, width], 0 where not known.
    """
    weight = known.astype(np.float32)
    share = np.maximum(wide_mean(weight, reach), 1e-3)
    mean = wide_mean(values * weight, reach) / share
    off = np.asarray((values - mean) * weight, dtype=np.float32)
    spread = np.sqrt(np.maximum(wide_mean(off * off, reach), 0.0) / share)
    return np.asarray(np.clip(off / np.maximum(spread, 0.02), -3.0, 3.0), dtype=np.float32)


def find_lungs_roughly(values: FloatArray, known: BoolArray, atlas: Atlas) -> Placement:
    """The size and place where the atlas's lungs agree best with the film.

    Args:
        values: float32 [height, width], the working picture.
        known: bool [height, width], body: neither padding nor outer air.
        atlas: The atlas.

    Returns:
        The best placement, whatever its score.
    """
    scale = COARSE / max(values.shape)
    height, width = (max(1, round(side * scale)) for side in values.shape)
    seen = shrink(known.astype(np.float32), height, width) > 0.5
    film = local_contrast(shrink(values, height, width), seen, COARSE / 7.0)
    spectra = fft.rfft2(np.stack([film, film * film]), FFT_SHAPE)
    floor = 0.25 * float(np.mean(film * film))
    middle = float(np.average(np.arange(width) + 0.5, weights=seen.sum(axis=0) + 1e-6))
    best = Placement(0.0, 0.0, float(values.shape[1]), float(values.shape[0]), -1.0)
    highest = -np.inf
    for template in _templates(atlas):
        score, rank, top, left = _best_offset(spectra, template, floor, (height, width), middle)
        if rank > highest:
            x, y = left + template.left, top + template.top
            right, bottom = x + template.width, y + template.height
            best = Placement(x / scale, y / scale, right / scale, bottom / scale, score)
            highest = rank
    return best


@dataclass(frozen=True, eq=False)
class _Template:
    """A zero-mean picture of the lungs and its mask, transformed; the lungs' box in it; how unusual its size is."""

    spectra: ComplexArray
    norm: float
    mask_sum: float
    shape: tuple[int, int]
    left: float
    top: float
    width: float
    height: float
    penalty: float


@lru_cache(maxsize=2)
def _templates(atlas: Atlas) -> tuple[_Template, ...]:
    made: list[_Template] = []
    for share in WIDTHS:
        for stretch in STRETCHES:
            width = share * COARSE
            height = width * atlas.aspect * float(np.exp(stretch))
            if height < 1.05 * COARSE:
                penalty = 0.10 * (float(np.log(share / USUAL_WIDTH)) / 0.5) ** 2 + 0.05 * (stretch / 0.36) ** 2
                made.append(_template(atlas, width, height, penalty))
    return tuple(made)


def _template(atlas: Atlas, width: float, height: float, penalty: float) -> _Template:
    margin_x, margin_y = SURROUND * width, SURROUND * height
    rows, columns = round(height + 2 * margin_y), round(width + 2 * margin_x)
    left, top, right, bottom = LUNG_BOX
    x = left + (np.arange(columns) + 0.5 - margin_x) * (right - left) / width
    y = top + (np.arange(rows) + 0.5 - margin_y) * (bottom - top) / height
    smooth = SIDE / width / 4.0
    lungs = resample(ndimage.gaussian_filter(atlas.lungs, smooth), y, x)
    body = resample(ndimage.gaussian_filter(atlas.maps["body"], smooth), y, x)
    mean = float((lungs * body).sum() / body.sum())
    picture = ((mean - lungs) * body).astype(np.float32)
    return _Template(
        spectra=np.conj(fft.rfft2(np.stack([picture, body.astype(np.float32)]), FFT_SHAPE)),
        norm=float(np.sqrt((picture**2).sum())),
        mask_sum=float(body.sum()),
        shape=(rows, columns),
        left=margin_x,
        top=margin_y,
        width=width,
        height=height,
        penalty=penalty,
    )


def _best_offset(
    spectra: ComplexArray, template: _Template, floor: float, film_shape: tuple[int, int], middle: float
) -> tuple[float, float, int, int]:
    """Score, score less penalties, row and column of the template's best place."""
    # Offsets wrap around: index -k is stored at the end. Lungs may stick out of the film by a little.
    rows, columns = template.shape
    slack_y, slack_x = round(0.25 * rows), round(0.25 * columns)
    tops = np.arange(-slack_y, max(film_shape[0] - rows + slack_y, -slack_y) + 1)
    lefts = np.arange(-slack_x, max(film_shape[1] - columns + slack_x, -slack_x) + 1)
    # Along the columns first, so that rows that nobody asks for need not be transformed back.
    down = fft.ifft(spectra * template.spectra, axis=1)[:, tops % FFT_SHAPE[0]]
    product, local = fft.irfft(down, FFT_SHAPE[1], axis=2)[:, :, lefts % FFT_SHAPE[1]]
    window = product / (template.norm * np.sqrt(np.maximum(local, floor * template.mask_sum)))
    aside = (lefts + template.left + 0.5 * template.width - middle) / film_shape[1]
    rank = window - OFF_CENTRE * aside[None, :] ** 2 - template.penalty
    row, column = np.unravel_index(int(np.argmax(rank)), rank.shape)
    return float(window[row, column]), float(rank[row, column]), int(tops[row]), int(lefts[column])
