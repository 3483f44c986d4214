"""A few phantoms with what is found on them; finding takes most of the time, so it is done once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from medcam.anatomy import find_zones
from medcam.core.display import DisplayWindow
from medcam.core.finding import ZonesSource
from medcam.core.radiograph import Radiograph
from medcam.core.zones import ZONES, Zones
from medcam.phantom import Phantom, render, sample_case

SIDE = 192
SEED = 55
FILMS = 5


def film(pixels: np.ndarray, **more: object) -> Radiograph:
    """A radiograph of values from 0 to 1."""
    return Radiograph(pixels, DisplayWindow(center=0.5, width=1.0), **more)


def labels(zones: Zones) -> np.ndarray:
    """Number of the zone of every pixel."""
    return np.argmax(np.stack([zones.masks[name] for name in ZONES]), axis=0)


@dataclass(frozen=True)
class Found:
    """A phantom, its true zones and those found on its film."""

    phantom: Phantom
    true: Zones
    zones: Zones


@pytest.fixture(scope="session")
def found() -> list[Found]:
    """Phantoms without findings."""
    made = []
    for index in range(FILMS):
        phantom = render(sample_case(SEED, index, prevalence=0.0), SIDE)
        true = Zones.from_anatomy(phantom.zones, source=ZonesSource.PHANTOM, quality=1.0)
        made.append(Found(phantom, true, find_zones(film(phantom.linear))))
    return made
