import numpy as np
import pytest

from medcam.anatomy.structures import (
    ANGLES,
    LOWER,
    LUNGS,
    PERIPHERY,
    STRUCTURES,
    UPPER,
    lies_within,
    structures,
)
from medcam.core.finding import ZonesSource
from medcam.core.zones import LUNG_ZONES, ZONES, Zones
from medcam.phantom import render, sample_case


@pytest.fixture(scope="module")
def zones() -> Zones:
    phantom = render(sample_case(3, 1, findings=()), 160)
    return Zones.from_anatomy(phantom.zones, source=ZonesSource.PHANTOM, quality=1.0)


def _mirrored(zones: Zones) -> Zones:
    return Zones({name: mask[:, ::-1] for name, mask in zones.masks.items()}, zones.source, zones.quality)


def test_the_lungs_are_their_six_zones(zones) -> None:
    parts = structures(zones)
    assert set(parts) == set(STRUCTURES)
    assert np.array_equal(parts[LUNGS], np.any([zones.masks[name] for name in LUNG_ZONES], axis=0))
    for name in (UPPER, LOWER, PERIPHERY):
        assert not (parts[name] & ~parts[LUNGS]).any()
    assert not (parts[UPPER] & parts[LOWER]).any()


def test_the_periphery_faces_the_chest_wall_and_not_the_heart(zones) -> None:
    rim, right = structures(zones)[PERIPHERY], zones.masks["right-middle-lung"]
    row = int(np.nonzero(right)[0].mean())
    columns = np.flatnonzero(right[row])
    assert rim[row, columns[0]]
    assert not rim[row, columns[-1]]


def test_the_angles_lie_low_and_outside(zones) -> None:
    angles, lungs = structures(zones)[ANGLES], structures(zones)[LUNGS]
    rows = np.nonzero(lungs)[0]
    assert np.nonzero(angles)[0].mean() > rows.mean()
    for half in (LUNG_ZONES[:3], LUNG_ZONES[3:]):
        lung = np.any([zones.masks[name] for name in half], axis=0)
        lowest = int(np.nonzero(lung)[0].max())
        assert angles[lowest, np.flatnonzero(lung[lowest])].any()


def test_a_film_turned_over_has_its_structures_turned_over(zones) -> None:
    turned = structures(_mirrored(zones))
    for name, mask in structures(zones).items():
        assert (turned[name] != mask[:, ::-1]).mean() < 0.002, name


def test_without_lungs_there_are_no_structures() -> None:
    masks = {name: np.full((9, 9), name == "outside-body") for name in ZONES}
    nothing = structures(Zones(masks, ZonesSource.REGISTRATION, 0.0))
    assert not any(mask.any() for mask in nothing.values())


def test_zones_lie_within_the_structures_they_make_up() -> None:
    assert lies_within("left-upper-lung", ("upper-lungs",))
    assert lies_within("lower-lungs", ("lungs",))
    assert lies_within("heart", ("heart",))
    assert not lies_within("left-middle-lung", ("upper-lungs", "lower-lungs"))
    assert not lies_within("lungs", ("upper-lungs",))
    assert not lies_within("costophrenic-angles", ("lungs",))  # reaches over the lung's edge
