"""Builds an atlas from pictures and anatomy masks: every case is brought into the lungs' frame, then averaged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
from scipy import ndimage

from medcam.anatomy.atlas import LUNG_BOX, NAMES, SIDE, Atlas, AtlasError
from medcam.anatomy.film import normalise, working_film
from medcam.anatomy.grid import Box, resample
from medcam.anatomy.sight import look
from medcam.core.arrays import BoolArray, FloatArray
from medcam.core.display import DisplayWindow
from medcam.core.errors import InvalidValueError
from medcam.core.finding import ZonesSource
from medcam.core.radiograph import Radiograph
from medcam.core.zones import LUNG_ZONES, Zones

FEWEST_LUNG_PIXELS = 100

AtlasCase = tuple[FloatArray, Mapping[str, BoolArray]]
"""A picture, float32 [height, width], denser is brighter, patient's right on the left side, head up; and bool
[height, width] per name of `BODY_ZONES` and "body". Masks that overlap are made disjoint by `Zones.from_anatomy`."""


def build_atlas(cases: Iterable[AtlasCase], *, origin: str) -> Atlas:
    """Averages cases into an atlas, one at a time in memory. Its visible lungs are the whole lungs: see `with_sight`.

    Args:
        cases: Pictures with their masks.
        origin: What the cases are, with their seed: kept in the atlas.

    Returns:
        The atlas.

    Raises:
        AtlasError: There is no case, a mask is missing or has another shape, or a case has hardly any lung.
    """
    totals = {name: np.zeros((SIDE, SIDE), dtype=np.float64) for name in (*NAMES, "picture")}
    aspects: list[float] = []
    for picture, masks in cases:
        box, maps = _framed(picture, masks)
        for name, values in maps.items():
            totals[name] += values
        aspects.append((box[3] - box[1]) / (box[2] - box[0]))
    if not aspects:
        raise AtlasError("an atlas needs at least one case")
    means = {name: np.clip(total / len(aspects), 0.0, 1.0).astype(np.float32) for name, total in totals.items()}
    picture = means.pop("picture")
    visible = np.minimum(np.sum([means[name] for name in LUNG_ZONES], axis=0), np.float32(1.0))
    return Atlas(picture, means, visible, aspect=float(np.exp(np.mean(np.log(aspects)))), origin=origin)


def with_sight(atlas: Atlas, cases: Iterable[AtlasCase]) -> Atlas:
    """The atlas with visible lungs: what is taken for lung on the cases, in the frame of their true lungs.

    Args:
        atlas: From `build_atlas`.
        cases: The same cases once more.

    Raises:
        AtlasError: As for `build_atlas`.
    """
    total, count = np.zeros((SIDE, SIDE), dtype=np.float64), 0
    for picture, masks in cases:
        box, _ = _framed(picture, masks)
        film = working_film(Radiograph(picture, DisplayWindow(center=0.5)))
        scale = film.values.shape[0] / picture.shape[0]
        total += _into_frame(look(film, atlas).fields.both, tuple(scale * edge for edge in box))
        count += 1
    if not count:
        raise AtlasError("an atlas needs at least one case")
    return replace(atlas, visible=np.clip(total / count, 0.0, 1.0).astype(np.float32))


def _framed(picture: FloatArray, masks: Mapping[str, BoolArray]) -> tuple[Box, dict[str, FloatArray]]:
    """The box around a case's lungs, and its maps and picture in the atlas's frame."""
    try:
        zones = Zones.from_anatomy(masks, source=ZonesSource.PHANTOM, quality=1.0).masks
        chosen = {name: masks["body"] if name == "body" else zones[name] for name in NAMES}
    except (KeyError, InvalidValueError) as error:
        raise AtlasError(f"a case's masks cannot be used: {error}") from error
    if picture.shape != masks["body"].shape:
        raise AtlasError(f"a picture of shape {picture.shape} has masks of shape {masks['body'].shape}")
    box = lung_box(np.any([zones[name] for name in LUNG_ZONES], axis=0))
    maps = {name: _into_frame(mask.astype(np.float32), box) for name, mask in chosen.items()}
    return box, {**maps, "picture": _into_frame(normalise(picture), box)}


def lung_box(lungs: BoolArray) -> Box:
    """The box around a lung mask without its outermost half per cent on each side, in pixels.

    Raises:
        AtlasError: The mask has hardly any pixel.
    """
    rows, columns = np.nonzero(lungs)
    if rows.size < FEWEST_LUNG_PIXELS:
        raise AtlasError("a case has hardly any lung")
    left, right = np.percentile(columns + 0.5, [0.5, 99.5])
    top, bottom = np.percentile(rows + 0.5, [0.5, 99.5])
    return float(left), float(top), float(right), float(bottom)


def _into_frame(values: FloatArray, box: Box) -> FloatArray:
    left, top, right, bottom = LUNG_BOX
    scale_x, scale_y = (box[2] - box[0]) / (right - left), (box[3] - box[1]) / (bottom - top)
    x = box[0] + (np.arange(SIDE) + 0.5 - left) * scale_x
    y = box[1] + (np.arange(SIDE) + 0.5 - top) * scale_y
    smooth = ndimage.gaussian_filter(values, (0.4 * scale_y, 0.4 * scale_x), mode="nearest")
    return resample(smooth, y, x)
