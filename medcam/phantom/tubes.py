"""Chord lengths of tubes along polylines: vessels, ribs, lines and leads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from medcam.phantom.grid import Grid, Image

Point = tuple[float, float]
Line = Sequence[Point] | npt.NDArray[np.float64]
Segments = npt.NDArray[np.float32]
"""[n, 6]: x and y of both ends, radius at both ends, in mm."""

LARGEST_BATCH = 2_000_000
"""Pixels worked on at a time, bounds the memory of large films."""


def segments(line: Line, radii: Sequence[float] | npt.NDArray[np.float64]) -> Segments:
    """The segments of one polyline with a radius per point."""
    points, radius = np.asarray(line, dtype=np.float32), np.asarray(radii, dtype=np.float32)
    return np.column_stack([points[:-1], points[1:], radius[:-1], radius[1:]])


def add_tube(
    grid: Grid,
    image: Image,
    line: Line,
    radii: Sequence[float] | npt.NDArray[np.float64],
    *,
    hollow: float = 0.0,
    strength: float = 1.0,
) -> None:
    """Adds the chord length of a tube along a polyline to an image, in place.

    Args:
        grid: The detector.
        image: float32 [size, size], mm.
        line: x and y of the centre line, mm.
        radii: One per point, mm.
        hollow: Inner radius as a share of the outer, for cortical bone and tubes; marrow keeps a third of its chord.
        strength: Factor on the chord.
    """
    add_tree(grid, image, [segments(line, radii)], hollow=hollow, strength=strength)


def add_tree(
    grid: Grid, image: Image, parts: Sequence[Segments], *, hollow: float = 0.0, strength: float = 1.0
) -> None:
    """Adds a union of tubes: where several overlap the longest chord counts, so that joints are not counted twice."""
    every = np.concatenate(parts)
    reach = every[:, 4:].max(axis=1) + grid.pitch
    low = np.minimum(every[:, 0:2], every[:, 2:4]) - reach[:, None]
    high = np.maximum(every[:, 0:2], every[:, 2:4]) + reach[:, None]
    first = np.array([grid.x[0, 0], grid.y[0, 0]], dtype=np.float32)
    start = np.floor((low - first) / grid.pitch).astype(np.int64)
    stop = np.ceil((high - first) / grid.pitch).astype(np.int64) + 1
    seen = ((stop > 0) & (start < grid.size)).all(axis=1)
    if not seen.any():
        return
    every, start, stop = every[seen], np.maximum(start[seen], 0), np.minimum(stop[seen], grid.size)
    origin, limit = start.min(axis=0), stop.max(axis=0)
    local = np.zeros((limit[1] - origin[1], limit[0] - origin[0]), dtype=np.float32)
    for chosen, side in _batches(stop - start):
        _draw(grid, local, origin, every[chosen], start[chosen], side, hollow)
    image[origin[1] : limit[1], origin[0] : limit[0]] += np.float32(strength) * local


def _batches(extent: npt.NDArray[np.int64]) -> Iterator[tuple[npt.NDArray[np.int64], tuple[int, int]]]:
    """Groups segments of like extent, so that all of a group can be drawn in windows of one size."""
    classes = np.ceil(np.log2(np.maximum(extent, 1)) * 2).astype(np.int64)
    keys = classes[:, 0] * 1000 + classes[:, 1]
    for key in np.unique(keys):
        members = np.flatnonzero(keys == key)
        width, height = extent[members].max(axis=0)
        step = max(1, LARGEST_BATCH // int(width * height))
        for begin in range(0, len(members), step):
            yield members[begin : begin + step], (int(width), int(height))


def _draw(
    grid: Grid,
    local: Image,
    origin: npt.NDArray[np.int64],
    chosen: Segments,
    start: npt.NDArray[np.int64],
    side: tuple[int, int],
    hollow: float,
) -> None:
    columns = start[:, 0, None] - origin[0] + np.arange(side[0])
    rows = start[:, 1, None] - origin[1] + np.arange(side[1])
    pitch = np.float32(grid.pitch)
    across = grid.x[0, 0] + (columns + origin[0]) * pitch - chosen[:, 0, None]
    down = grid.y[0, 0] + (rows + origin[1]) * pitch - chosen[:, 1, None]
    across, down = across.astype(np.float32)[:, None, :], down.astype(np.float32)[:, :, None]
    step = (chosen[:, 2:4] - chosen[:, 0:2])[:, :, None, None]
    length = (step**2).sum(axis=1) + np.float32(1e-9)
    along = np.clip((across * step[:, 0] + down * step[:, 1]) / length, 0, 1)
    squared = (across - along * step[:, 0]) ** 2 + (down - along * step[:, 1]) ** 2
    radius = chosen[:, 4, None, None] + (chosen[:, 5] - chosen[:, 4])[:, None, None] * along
    here = radius**2
    # Half a pixel is added to the radius and taken out of the chord: tubes thinner than a pixel keep their mass.
    spread = here + np.float32(0.25) * pitch**2
    chord = 2 * np.sqrt(np.maximum(spread - squared, 0)) * (here / spread)
    if hollow:
        chord -= np.float32(1.3) * np.sqrt(np.maximum(here * np.float32(hollow**2) - squared, 0))
    inside = (chord > 0) & (columns < local.shape[1])[:, None, :] & (rows < local.shape[0])[:, :, None]
    flat = (rows[:, :, None] * local.shape[1] + columns[:, None, :])[inside]
    np.maximum.at(local.reshape(-1), flat, chord[inside])
