import numpy as np
import pytest

from medcam.cam.calibrate import calibrate_rule, mean_iou
from medcam.cam.regions import region_mask
from medcam.core.activation import ActivationMap
from medcam.core.card import PAPER_RULE, RegionRule, RegionRuleKind
from medcam.core.errors import InvalidValueError
from medcam.core.geometry import GridTransform


def _films(count: int = 30, *, peaks: tuple[float, float] = (2.0, 9.0), seed: int = 0):
    """Gaussian maps whose true masks lie where a map exceeds 60 % of its peak."""
    rng = np.random.default_rng(seed)
    centres, sigmas = rng.uniform(5, 11, (2, count, 1, 1)), rng.uniform(1.5, 3, (count, 1, 1))
    heights = rng.uniform(*peaks, (count, 1, 1))

    def gauss(grid: np.ndarray) -> np.ndarray:
        return np.exp(-((grid[0] - centres[0]) ** 2 + (grid[1] - centres[1]) ** 2) / (2 * sigmas**2))

    coarse, fine = gauss(np.mgrid[:16, :16]), gauss((np.mgrid[:64, :64] + 0.5) / 4 - 0.5)
    return (heights * coarse).astype(np.float32), fine > 0.6, (fine * heights)


def test_finds_the_fraction_that_made_the_masks() -> None:
    maps, masks, _ = _films()
    rule = calibrate_rule(maps, masks)
    assert rule.kind is RegionRuleKind.PEAK_FRACTION
    assert rule.threshold == pytest.approx(0.6, abs=0.051)
    assert rule.name == "calibrated"
    assert mean_iou(maps, masks, rule) > 0.9 > mean_iou(maps, masks, PAPER_RULE)


def test_finds_an_absolute_threshold_where_that_is_the_truth() -> None:
    maps, _, fine = _films(peaks=(3.0, 12.0))
    masks = fine > 2.0
    rule = calibrate_rule(maps, masks)
    assert rule.kind is RegionRuleKind.ABSOLUTE
    assert rule.threshold == pytest.approx(2.0, abs=0.4)


def test_keeps_several_parts_where_the_truth_has_several() -> None:
    maps, masks, _ = _films(12)
    maps = maps / maps.max(axis=(1, 2), keepdims=True)
    both_maps = np.concatenate((maps, 0.95 * maps[::-1]), axis=2)
    both_masks = np.concatenate((masks, masks[::-1]), axis=2)
    rule = calibrate_rule(both_maps, both_masks)
    assert not rule.largest_only
    assert mean_iou(both_maps, both_masks, rule) > 0.85


def test_drops_small_parts_where_they_are_noise() -> None:
    maps, masks, _ = _films(12)
    maps = maps.copy()
    maps[:, 0, ::4] = 0.8 * maps.max(axis=(1, 2))[:, None]
    rule = calibrate_rule(maps, masks)
    assert rule.largest_only or rule.smallest_share > 0.0


@pytest.mark.parametrize("largest_only", [True, False])
@pytest.mark.parametrize("share", [0.0, 0.1])
def test_measures_what_regions_draw(largest_only: bool, share: float) -> None:
    rng = np.random.default_rng(5)
    maps = rng.normal(size=(4, 8, 8)).astype(np.float32)
    masks = rng.random((4, 32, 32)) > 0.6
    rule = RegionRule("any", RegionRuleKind.PEAK_FRACTION, 0.3, largest_only, share)
    ious = []
    for values, mask in zip(maps, masks, strict=True):
        drawn = region_mask(ActivationMap(values, 0.0, GridTransform.identity(32, 32).resize(8, 8)), rule, 32, 32)
        ious.append((drawn & mask).sum() / (drawn | mask).sum())
    assert mean_iou(maps, masks, rule) == pytest.approx(np.mean(ious), abs=1e-6)


def test_films_without_the_finding_are_left_out_and_silent_maps_count_as_misses() -> None:
    maps, masks, _ = _films(6)
    rule = calibrate_rule(maps, masks)
    value = mean_iou(maps, masks, rule)
    more_maps = np.concatenate((maps, maps[:2]))
    more_masks = np.concatenate((masks, np.zeros_like(masks[:2])))
    assert mean_iou(more_maps, more_masks, rule) == pytest.approx(value)
    silent = maps.copy()
    silent[:3] = -1.0
    half = mean_iou(silent[3:], masks[3:], rule) / 2
    assert mean_iou(silent, masks, rule) == pytest.approx(half)


def test_all_maps_silent_still_gives_a_rule() -> None:
    maps, masks, _ = _films(3)
    assert mean_iou(-maps, masks, calibrate_rule(-maps, masks)) == 0.0


def test_refuses_what_cannot_be_calibrated() -> None:
    maps, masks, _ = _films(3)
    with pytest.raises(InvalidValueError, match="no film"):
        calibrate_rule(maps, np.zeros_like(masks))
    with pytest.raises(InvalidValueError, match="must be"):
        calibrate_rule(maps, masks[:2])
    with pytest.raises(InvalidValueError, match="to try"):
        calibrate_rule(maps, masks, smallest_shares=())
