"""Pictures of films: with a map, plain, and several on one sheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from medcam.core.arrays import ByteArray
from medcam.core.card import PAPER_RULE, FindingCard
from medcam.core.errors import InvalidValueError
from medcam.core.explanation import ModelReference, OutOfDistribution
from medcam.core.finding import Finding, Region
from medcam.core.geometry import Box, GridTransform
from medcam.core.radiograph import Radiograph
from medcam.core.resample import Sampler
from medcam.core.threshold import region_threshold
from medcam.overlay.blend import STRONGEST, Shading
from medcam.overlay.film import Film
from medcam.overlay.marks import draw_regions, draw_view
from medcam.overlay.panel import Caption, draw_foot, draw_panel, draw_warning
from medcam.overlay.sheet import side_gutter, stacked
from medcam.overlay.typeset import BACKGROUND, PANEL, filled

Scale = Literal["model", "image"]
_PANEL_WIDTH = 380


def draw_overlay(
    radiograph: Radiograph | Film,
    finding: Finding,
    *,
    card: FindingCard | None,
    model: ModelReference,
    ood: OutOfDistribution,
    long_side: int = 1024,
    scale: Scale = "model",
    signed: bool = False,
    threshold: float | None = None,
    opacity: float = STRONGEST,
) -> ByteArray:
    """Draws a finding on its film, with all that a reader needs beside it.

    The film keeps its true proportions and its display window. The map is resampled at drawn size only, coloured
    where it exceeds the threshold of the card's region rule, transparent elsewhere. The patient's sides stand above
    the film; words and numbers stand in a panel at its right; nothing but outline, box and peak is drawn on it.

    Args:
        radiograph: The film, or a `Film` made of it before (several findings of one film share it).
        finding: With its map and regions; drawn are the regions of the card's rule, or all if none are.
        card: The finding's card; without one, and for maps by another method than the exact one, colours are scaled to
            the image and the threshold is the paper's.
        model: Named in the panel.
        ood: A flagged input gets a warning strip over the whole picture.
        long_side: Pixels along the longer side of the film; unused for a `Film`.
        scale: "model" for the card's absolute colour scale, "image" to scale colours to this image (said so).
        signed: Whether evidence against is coloured too.
        threshold: Values up to it are not coloured, in logit units per cell; by default that of the region rule.
        opacity: Of the colours at full scale, 0 to 1.

    Returns:
        uint8 RGB [height, width, 3], larger than the film.

    Raises:
        InvalidValueError: Card, film and finding do not belong together, or the size is too small.
    """
    film = radiograph if isinstance(radiograph, Film) else Film.of(radiograph, long_side)
    unit = _unit(film)
    picture, caption = lay_map(
        film, finding, card, model, unit, scale=scale, signed=signed, threshold=threshold, opacity=opacity
    )
    body = _beside(side_gutter(picture, film.letters, unit), caption, unit)
    return stacked(draw_warning(ood, body.shape[1], unit), body) if ood.flagged else body


def lay_map(
    film: Film,
    finding: Finding,
    card: FindingCard | None,
    model: ModelReference,
    unit: float,
    *,
    scale: Scale = "model",
    signed: bool = False,
    threshold: float | None = None,
    opacity: float = STRONGEST,
) -> tuple[ByteArray, Caption]:
    """The film with map and marks alone, and what is to be said of it; arguments and errors as in `draw_overlay`.

    Args:
        film: At drawn size.
        finding: With its map and regions.
        card: The finding's card.
        model: Named in the caption.
        unit: Scales the lines.
        scale: As in `draw_overlay`.
        signed: As in `draw_overlay`.
        threshold: As in `draw_overlay`.
        opacity: As in `draw_overlay`.

    Returns:
        uint8 RGB [height, width, 3] of the film's drawn size, and the caption.
    """
    if card is not None and card.name != finding.name:
        raise InvalidValueError(f"the card of {card.name!r} does not describe {finding.name!r}")
    transform = finding.map.transform
    if (transform.source_height, transform.source_width) != (film.source_height, film.source_width):
        raise InvalidValueError("the map belongs to a film of another size")
    values = Sampler.to_source(transform, film.height, film.width).apply(finding.map.values)
    highest = float(values.max())
    rule = card.rule_for(finding.map.method) if card else PAPER_RULE
    common = card.scale_for(finding.map.method) if card and scale == "model" else None
    full_scale = max(float(np.abs(values).max()), 1e-6) if common is None else common
    by_rule = region_threshold(rule, highest if finding.map.values.max() > 0.0 else 0.0)
    shading = Shading(full_scale, by_rule if threshold is None else threshold, signed, opacity)
    shown = _shown(finding.regions, rule.name)
    sees_all = _seen(transform) is None
    caption = Caption(finding, model, rule, shown, shading, highest, common is not None, sees_all, threshold is None)
    return _marked(film, shading.blend(film.grey, values), caption, unit), caption


def draw_film(radiograph: Radiograph | Film, *, long_side: int = 1024) -> ByteArray:
    """Draws a film without any map, with the patient's sides above it.

    Args:
        radiograph: The film, or a `Film` made of it before.
        long_side: Pixels along the longer side; unused for a `Film`.

    Returns:
        uint8 RGB [height, width, 3].
    """
    film = radiograph if isinstance(radiograph, Film) else Film.of(radiograph, long_side)
    return side_gutter(np.repeat(film.grey[:, :, None], 3, axis=2), film.letters, _unit(film))


def _unit(film: Film) -> float:
    # Below three quarters the words could no longer be read.
    return max(0.75, max(film.height, film.width) / 1024)


def _shown(regions: Sequence[Region], rule: str) -> tuple[Region, ...]:
    return tuple(region for region in regions if region.rule == rule) or tuple(regions)


def _seen(transform: GridTransform) -> Box | None:
    """The part of the film in the model's view, None when that is all of it (or all but a sliver of a pixel)."""
    source = Box(0, 0, transform.source_width, transform.source_height)
    common = transform.box_to_source(Box(0, 0, transform.width, transform.height)).intersection(source)
    if common is None or common.area >= 0.999 * source.area:
        return None
    return common


def _marked(film: Film, picture: ByteArray, caption: Caption, unit: float) -> ByteArray:
    line, seen = max(1, round(2 * unit)), _seen(caption.finding.map.transform)
    if seen is not None:
        draw_view(picture, film, seen, line)
    draw_regions(picture, film, caption.regions, line, quiet=caption.quiet)
    return picture


def _beside(film: ByteArray, caption: Caption, unit: float) -> ByteArray:
    width = round(_PANEL_WIDTH * unit)
    panel, foot = draw_panel(caption, width, unit), draw_foot(caption, width, unit)
    height = max(film.shape[0], panel.shape[0] + foot.shape[0])
    canvas = np.empty((height, film.shape[1] + width, 3), dtype=np.uint8)
    left, right = canvas[:, : film.shape[1]], canvas[:, film.shape[1] :]
    if film.shape[0] < height:
        left[:] = filled(height, film.shape[1], BACKGROUND)
    top = (height - film.shape[0]) // 2
    left[top : top + film.shape[0]] = film
    right[:] = filled(height, width, PANEL)
    right[: panel.shape[0]] = panel
    right[height - foot.shape[0] :] = foot
    return canvas
