"""The films that the page shows, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np

import medcam
from medcam.core.arrays import FloatArray
from medcam.core.display import DisplayWindow, VoiFunction
from medcam.core.finding import Point, Region
from medcam.core.geometry import Box, GridTransform
from medcam.core.radiograph import PixelSpacing
from medcam.overlay.film16 import PackedFilm, pack_film

ROOT = Path(__file__).resolve().parents[3]
ROWS, COLUMNS, CELLS = 300, 260, 8


@dataclass(frozen=True, eq=False)
class TestFilm:
    """A film with its window, and the map of one finding over it."""

    pixels: FloatArray
    window: DisplayWindow
    spacing: PixelSpacing | None = None
    orientation: tuple[str, ...] = ("L", "F")
    ledger: bool = True
    transform: GridTransform | None = field(default=None)

    @property
    def grid(self) -> GridTransform:
        rows, columns = self.pixels.shape
        return self.transform or GridTransform.identity(rows, columns).resize(CELLS, CELLS)


@cache
def pixels(rows: int, columns: int, bits: int = 12) -> FloatArray:
    """Soft shapes under noise: whole numbers of so many bits."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32) / (rows, columns)[0]
    shapes = 0.5 + 0.3 * np.sin(9 * x) * np.cos(7 * y) + 0.1 * x
    noise = rng.normal(0, 0.02, (rows, columns))
    values = np.clip(shapes + noise, 0, 1) * (2**bits - 1)
    values[0, 0], values[-1, -1] = 0, 2**bits - 1
    return np.rint(values).astype(np.float32)


def _table() -> FloatArray:
    steps = np.linspace(0, 1, 3000, dtype=np.float32) ** 0.6
    return np.asarray(steps, dtype=np.float32)


def _small(function: VoiFunction, **window: float) -> TestFilm:
    return TestFilm(pixels(ROWS, COLUMNS), DisplayWindow(function, **window), PixelSpacing(0.2, 0.2))


def _chest() -> TestFilm:
    film = medcam.load_radiograph(ROOT / "sample_data" / "phantom-00000.dcm")
    return TestFilm(film.pixels, film.window, film.spacing, film.patient_orientation)


FILMS: dict[str, Callable[[], TestFilm]] = {
    "linear": lambda: _small(VoiFunction.LINEAR, center=2000, width=3001),
    "linear-exact": lambda: _small(VoiFunction.LINEAR_EXACT, center=1800.25, width=2500.5),
    "sigmoid": lambda: _small(VoiFunction.SIGMOID, center=2100, width=1500),
    "table": lambda: TestFilm(
        pixels(ROWS, COLUMNS), DisplayWindow(VoiFunction.TABLE, table=_table(), first_mapped=400.0, source="voi-lut")
    ),
    "mirror": lambda: replace(
        _small(VoiFunction.LINEAR, center=1500, width=2222, mirror=4095.0), orientation=("R", "F")
    ),
    "fraction": lambda: TestFilm(pixels(ROWS, COLUMNS) * np.float32(0.25) - 512, DisplayWindow(center=10, width=700)),
    "step": lambda: TestFilm(pixels(ROWS, COLUMNS), DisplayWindow(center=2000, width=1)),
    "unknown": lambda: TestFilm(
        pixels(ROWS, COLUMNS), DisplayWindow(center=2000, width=3001), orientation=(), ledger=False
    ),
    "part": lambda: TestFilm(
        pixels(ROWS, COLUMNS),
        DisplayWindow(center=2000, width=3001),
        transform=GridTransform.identity(ROWS, COLUMNS).crop(20, 10, 240, 220).resize(CELLS, CELLS).flip_horizontal(),
    ),
    "chest": _chest,
    "large": lambda: TestFilm(pixels(2500, 2048), DisplayWindow(center=2000, width=3001), PixelSpacing(0.14, 0.14)),
}


@cache
def film(name: str) -> TestFilm:
    """The film of that name."""
    return FILMS[name]()


@cache
def packed(name: str) -> PackedFilm:
    """Its pixels as they travel."""
    return pack_film(film(name).pixels)


def map_values(seed: int, cells: int = CELLS) -> FloatArray:
    """One hill and one hollow at a place of the seed's choice, in logit units."""
    rng = np.random.default_rng(seed)
    y, x = (np.mgrid[0:cells, 0:cells] + 0.5) / cells
    (hill_x, hill_y), (low_x, low_y) = rng.uniform(0.25, 0.75, (2, 2))
    hill = 9.0 * np.exp(-((x - hill_x) ** 2 + (y - hill_y) ** 2) / 0.02)
    hollow = 5.0 * np.exp(-((x - low_x) ** 2 + (y - low_y) ** 2) / 0.03)
    return np.asarray(hill - hollow - 0.6, dtype=np.float32)


def regions(values: FloatArray, grid: GridTransform) -> tuple[Region, ...]:
    """The box of the cells above half the peak."""
    box = grid.box_to_source(Box.around(values > values.max() / 2))
    row, column = np.unravel_index(int(values.argmax()), values.shape)
    return (Region(box, Point(*grid.to_source(column + 0.5, row + 0.5)), 0.8),)


def lung_zones(rows: int, columns: int) -> dict[str, tuple[tuple[Point, ...], ...]]:
    """Six lung zones as thirds of two ellipses; the patient's right lies on the left."""
    zones = {}
    for side, middle in (("right", 0.3), ("left", 0.7)):
        for part, (top, bottom) in {"upper": (-0.95, -0.33), "middle": (-0.33, 0.33), "lower": (0.33, 0.95)}.items():
            down = np.linspace(top, bottom, 24)
            half = 0.15 * np.sqrt(1 - down**2)
            sides = [*zip(middle - half, down, strict=True), *reversed([*zip(middle + half, down, strict=True)])]
            outline = tuple(Point(float(x * columns), float((0.45 + 0.3 * y) * rows)) for x, y in sides)
            zones[f"{side}-{part}-lung"] = (outline,)
    return zones
