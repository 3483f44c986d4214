from collections.abc import Callable

import numpy as np
import pytest

from medcam.core.activation import ActivationMap
from medcam.core.card import FindingCard, RegionRule, RegionRuleKind
from medcam.core.display import DisplayWindow
from medcam.core.explanation import ModelReference, OutOfDistribution
from medcam.core.finding import Evidence, Finding, Point, Region
from medcam.core.geometry import Box, GridTransform
from medcam.core.radiograph import PixelSpacing, Radiograph

MODEL = ModelReference("phantom", "1.0", "ab" * 32)
NORMAL = OutOfDistribution(1.0, 5.0, flagged=False)
STRANGE = OutOfDistribution(9.0, 5.0, flagged=True)
CARD = FindingCard(
    "nodule", None, 0.4, RegionRule("calibrated", RegionRuleKind.PEAK_FRACTION, 0.5, False), map_scale=10.0
)

MakeFilm = Callable[..., Radiograph]
MakeFinding = Callable[..., Finding]


@pytest.fixture
def make_film() -> MakeFilm:
    """A film of smooth grey with some noise."""

    def make(
        height: int = 300,
        width: int = 240,
        orientation: tuple[str, ...] = ("L", "F"),
        spacing: PixelSpacing | None = None,
        padding: np.ndarray | None = None,
    ) -> Radiograph:
        rng = np.random.default_rng(height + width)
        pixels = np.linspace(30, 220, width)[None] + rng.normal(0, 5, (height, width))
        window = DisplayWindow(center=128.0, width=256.0)
        return Radiograph(pixels, window, padding=padding, spacing=spacing, patient_orientation=orientation)

    return make


@pytest.fixture
def make_finding() -> MakeFinding:
    """A finding with one blob in the middle of the film's left upper quarter."""

    def make(
        film: Radiograph,
        height: float = 8.0,
        *,
        regions: bool = True,
        present: bool | None = True,
        transform: GridTransform | None = None,
        evidence: bool = True,
    ) -> Finding:
        grid = transform or GridTransform.identity(film.height, film.width).resize(16, 16)
        y, x = np.mgrid[:16, :16]
        values = height * np.exp(-((x - 4) ** 2 + (y - 4) ** 2) / 8.0) - 0.2
        activation = ActivationMap(values, -1.0, grid, "cam", "features")
        positive, negative = float(np.maximum(values, 0).mean()), float(np.minimum(values, 0).mean())
        box = Box(film.width * 0.15, film.height * 0.15, film.width * 0.25, film.height * 0.25)
        left, top, right, bottom = box.corners
        outline = tuple(Point(*corner) for corner in ((left, top), (right, top), (right, bottom), (left, bottom)))
        region = Region(box, Point(film.width * 0.28, film.height * 0.28), 0.5, outline, "calibrated")
        return Finding(
            name="nodule",
            code=None,
            probability=0.7,
            logit=positive + negative - 1.0,
            threshold=0.4,
            present=present,
            map=activation,
            evidence=Evidence(-1.0, positive, negative) if evidence else None,
            regions=(region,) if regions else (),
        )

    return make
