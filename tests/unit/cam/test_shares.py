import numpy as np
import pytest

from medcam.cam.evidence import evidence
from medcam.cam.shares import half_area, positive_part, positive_shares, touched_share, turned
from medcam.core.activation import ActivationMap
from medcam.core.errors import InvalidValueError
from medcam.core.finding import ZonesSource
from medcam.core.geometry import GridTransform
from medcam.core.relation import Relation
from medcam.core.zones import ZONES, Zones

GRID = GridTransform.identity(16, 16).resize(4, 4)


def _map(values, **options) -> ActivationMap:
    return ActivationMap(np.asarray(values, dtype=np.float32), -2.0, GRID, **options)


def test_a_share_counts_cells_by_the_area_that_a_mask_covers() -> None:
    values = np.zeros((4, 4))
    values[0, 0], values[3, 3], values[1, 1] = 3.0, 1.0, -50.0
    half_of_the_first = np.zeros((16, 16), dtype=bool)
    half_of_the_first[:4, :2] = True
    everything = np.ones((16, 16), dtype=bool)

    shares = positive_shares(_map(values), {"half": half_of_the_first, "all": everything})

    assert shares == {"half": pytest.approx(1.5 / 4.0), "all": pytest.approx(1.0)}


@pytest.mark.parametrize("relation", [Relation.MEAN, Relation.SUM])
def test_the_ledger_of_the_positive_part_and_the_shares_agree(relation) -> None:
    rng = np.random.default_rng(0)
    index = rng.integers(0, len(ZONES), (8, 8))
    masks = {name: index == place for place, name in enumerate(ZONES)}
    activation = _map(rng.normal(0, 5, (4, 4)), relation=relation)

    ledger = evidence(positive_part(activation), Zones(masks, ZonesSource.PHANTOM, 1.0))

    assert ledger.zones is not None
    assert ledger.total_negative == ledger.bias == 0.0
    by_zone = {name: value / ledger.total_positive for name, value in ledger.zones.items()}
    assert by_zone == pytest.approx(positive_shares(activation, masks))


def test_a_map_without_evidence_for_has_no_share_anywhere() -> None:
    silent = _map(np.full((4, 4), -1.0))
    assert positive_shares(silent, {"all": np.ones((4, 4), dtype=bool)}) == {"all": 0.0}
    assert half_area(silent) == 0.5


def test_masks_of_different_shapes_are_refused() -> None:
    masks = {"a": np.ones((4, 4), dtype=bool), "b": np.ones((8, 8), dtype=bool)}
    with pytest.raises(InvalidValueError, match="one shape"):
        positive_shares(_map(np.ones((4, 4))), masks)


def test_half_of_the_evidence_needs_few_cells_where_it_stands_together() -> None:
    point = np.zeros((4, 4))
    point[2, 1] = 1.0
    assert half_area(_map(point)) == 1 / 16
    assert half_area(_map(np.ones((4, 4)))) == 0.5
    assert half_area(_map(np.eye(4))) == 2 / 16


def test_a_thing_smaller_than_a_cell_has_all_of_the_cell() -> None:
    values = np.zeros((4, 4))
    values[0, 0], values[3, 3], values[1, 1] = 3.0, 1.0, -50.0
    spot = np.zeros((16, 16), dtype=bool)
    spot[1, 2] = True

    assert touched_share(_map(values), spot) == (pytest.approx(0.75), pytest.approx(1 / 16))
    spot[5, 5] = True
    assert touched_share(_map(values), spot) == (pytest.approx(0.75), pytest.approx(2 / 16))
    assert touched_share(_map(-np.abs(values)), spot)[0] == 0.0


def test_a_turned_map_has_the_evidence_against() -> None:
    values = np.random.default_rng(0).normal(size=(4, 4))
    turned_map = turned(_map(values))
    np.testing.assert_array_equal(turned_map.values, -_map(values).values)
    assert turned_map.bias == 0.0
