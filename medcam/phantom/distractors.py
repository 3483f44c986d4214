"""What lies on a film without being a finding: side markers, burned-in text, buttons, ECG electrodes with leads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medcam.core.geometry import Box
from medcam.phantom.case import Case, Distractor
from medcam.phantom.glyphs import text_mask
from medcam.phantom.grid import Grid, Image, dome
from medcam.phantom.tubes import add_tube

Mask = npt.NDArray[np.bool_]
VISIBLE = 0.02
"""mm of metal above which a button or electrode counts as covering a pixel."""


@dataclass(frozen=True, eq=False)
class Placed:
    """A distractor on the film."""

    kind: str
    mask: Mask
    box: Box


def add_metal(grid: Grid, case: Case, metal: Image) -> list[Placed]:
    """Adds buttons and electrodes to the metal in the beam, in place: they are there when the film is taken."""
    placed = []
    for item in case.distractors:
        if item.kind not in ("button", "electrode"):
            continue
        image = _button(grid, item) if item.kind == "button" else _electrode(grid, item)
        metal += image
        placed += _placed(item.kind, image > VISIBLE)
    return placed


def burn_in(case: Case, film: Image) -> list[Placed]:
    """Writes markers and text into a film of 0 to 1, in place: lead letters and annotation are opaque."""
    placed, size = [], film.shape[0]
    for item in case.distractors:
        if item.kind not in ("marker", "text"):
            continue
        letters = text_mask(item.text, round(item.size * size))
        top = int(np.clip(item.y * size, 0, size - letters.shape[0]))
        left = int(np.clip(item.x * size, 0, max(0, size - letters.shape[1])))
        mask = np.zeros(film.shape, dtype=np.bool_)
        width = min(letters.shape[1], size - left)
        mask[top : top + letters.shape[0], left : left + width] = letters[:, :width]
        film[mask] = np.maximum(film[mask], item.strength)
        placed += _placed(item.kind, mask)
    return placed


def _placed(kind: str, mask: Mask) -> list[Placed]:
    return [Placed(kind, mask, Box.around(mask))] if mask.any() else []


def _spot(grid: Grid, item: Distractor) -> tuple[float, float, float]:
    x = float(grid.x[0, 0]) + item.x * grid.field
    y = float(grid.y[0, 0]) + item.y * grid.field
    return x, y, item.size * grid.field / 2


def _button(grid: Grid, item: Distractor) -> Image:
    x, y, radius = _spot(grid, item)
    squared = (grid.x - x) ** 2 + (grid.y - y) ** 2
    disc = dome(squared / radius**2, 0.15)
    holes = sum(
        dome(((grid.x - x - dx) ** 2 + (grid.y - y - dy) ** 2) / (0.16 * radius) ** 2, 0.2)
        for dx in (-0.3 * radius, 0.3 * radius)
        for dy in (-0.3 * radius, 0.3 * radius)
    )
    return np.asarray(item.strength * np.maximum(disc - holes, 0), dtype=np.float32)


def _electrode(grid: Grid, item: Distractor) -> Image:
    x, y, radius = _spot(grid, item)
    image = np.float32(item.strength) * dome(((grid.x - x) ** 2 + (grid.y - y) ** 2) / radius**2, 0.2)
    steps = np.linspace(0, 1, 12)
    bend = 18 * np.sin(steps * 5 + item.angle)
    line_x = x + 160 * steps * np.cos(item.angle) + bend * np.sin(item.angle)
    line_y = y + 160 * steps * np.sin(item.angle) - bend * np.cos(item.angle)
    add_tube(grid, image, np.column_stack([line_x, line_y]), [0.7] * 12, strength=0.6 * item.strength)
    return np.asarray(image, dtype=np.float32)
