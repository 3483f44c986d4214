import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medcam.cam.evidence import evidence
from medcam.core.activation import ActivationMap
from medcam.core.errors import InvalidValueError
from medcam.core.finding import ZonesSource
from medcam.core.geometry import GridTransform
from medcam.core.zones import OUTSIDE, ZONES, Zones


def _zones(index: np.ndarray, quality: float = 1.0) -> Zones:
    masks = {name: index == place for place, name in enumerate(ZONES)}
    return Zones(masks, ZonesSource.PHANTOM, quality)


@settings(max_examples=60, deadline=None)
@given(
    size=st.tuples(st.integers(2, 60), st.integers(2, 60)),
    grid=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    raster=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    pads=st.tuples(*[st.integers(0, 20)] * 4),
    crop=st.integers(0, 1),
    flip=st.booleans(),
    seed=st.integers(0, 10_000),
)
def test_zones_add_up_to_the_mean_of_the_map(size, grid, raster, pads, crop, flip, seed) -> None:
    rng = np.random.default_rng(seed)
    transform = GridTransform.identity(*size).crop(crop, 0, size[0] - crop, size[1]).pad(*pads).resize(*grid)
    transform = transform.flip_horizontal() if flip else transform
    activation = ActivationMap(rng.normal(0, 10, grid), -1.5, transform)
    ledger = evidence(activation, _zones(rng.integers(0, len(ZONES), raster)))
    mean = float(activation.values.astype(np.float64).mean())
    assert ledger.zones is not None
    assert set(ledger.zones) == set(ZONES)
    assert sum(ledger.zones.values()) == pytest.approx(mean, abs=1e-9)
    assert ledger.total_positive + ledger.total_negative == pytest.approx(mean, abs=1e-9)
    assert ledger.logit == pytest.approx(mean - 1.5, abs=1e-9)


def test_a_cell_is_split_by_the_area_that_a_zone_covers() -> None:
    # One cell over a film of 8 x 8: the heart covers the left 3 of 8 columns of the upper half.
    index = np.full((8, 8), ZONES.index(OUTSIDE))
    index[:4, :3] = ZONES.index("heart")
    activation = ActivationMap([[16.0]], 0.0, GridTransform.identity(8, 8).resize(1, 1))
    zones = evidence(activation, _zones(index)).zones
    assert zones is not None
    assert zones["heart"] == pytest.approx(16.0 * 12 / 64)
    assert zones[OUTSIDE] == pytest.approx(16.0 * 52 / 64)


def test_zones_follow_the_flip_of_the_input() -> None:
    index = np.full((10, 10), ZONES.index("heart"))
    index[:, 5:] = ZONES.index("mediastinum")
    transform = GridTransform.identity(100, 100).flip_horizontal().resize(1, 2)
    zones = evidence(ActivationMap([[1.0, 5.0]], 0.0, transform), _zones(index)).zones
    assert zones is not None
    # The input's right cell shows the film's left half.
    assert (zones["heart"], zones["mediastinum"]) == pytest.approx((2.5, 0.5))


def test_padding_counts_as_outside_the_body() -> None:
    index = np.full((4, 4), ZONES.index("heart"))
    transform = GridTransform.identity(40, 40).pad(0, 0, 40, 0).resize(1, 2)
    zones = evidence(ActivationMap([[6.0, 2.0]], 0.0, transform), _zones(index)).zones
    assert zones is not None
    assert (zones[OUTSIDE], zones["heart"]) == pytest.approx((3.0, 1.0))


def test_poor_zones_are_refused_and_named() -> None:
    activation = ActivationMap([[2.0, -6.0]], 0.5, GridTransform.identity(4, 4).resize(1, 2))
    index = np.zeros((4, 4), dtype=int)
    poor = evidence(activation, _zones(index, quality=0.3), minimum_quality=0.5)
    assert poor.zones is None
    assert (poor.zones_source, poor.zones_quality) == (ZonesSource.PHANTOM, 0.3)
    assert (poor.total_positive, poor.total_negative) == (1.0, -3.0)
    assert evidence(activation, _zones(index, quality=0.3), minimum_quality=0.2).zones is not None
    assert evidence(activation, None).zones_source is ZonesSource.NONE


def test_only_a_ledger_is_a_ledger() -> None:
    transform = GridTransform.identity(4, 4).resize(1, 2)
    with pytest.raises(InvalidValueError, match="no ledger"):
        evidence(ActivationMap([[2.0, 1.0]], 0.0, transform, method="gmp", ledger=False))
    with pytest.raises(InvalidValueError, match="quality"):
        evidence(ActivationMap([[2.0, 1.0]], 0.0, transform), minimum_quality=2.0)
