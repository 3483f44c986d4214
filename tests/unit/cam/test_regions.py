import numpy as np
import pytest
from skimage.draw import polygon2mask

from medcam.cam.regions import peak, region_mask, regions
from medcam.core.activation import ActivationMap
from medcam.core.card import PAPER_RULE, RegionRule, RegionRuleKind
from medcam.core.errors import InvalidValueError
from medcam.core.geometry import Box, GridTransform

from .conftest import MakeMap

HALF = RegionRule("calibrated", RegionRuleKind.PEAK_FRACTION, 0.5, largest_only=False, smallest_share=0.1)

TRANSFORMS = {
    "plain": GridTransform.identity(640, 512).resize(40, 32),
    "pad": GridTransform.identity(640, 512).pad(0, 0, 64, 64).resize(40, 40),
    "crop": GridTransform.identity(640, 512).crop(64, 0, 512, 512).resize(32, 32),
    "flips": GridTransform.identity(640, 512).flip_horizontal().pad(0, 0, 64, 64).resize(40, 40).flip_vertical(),
    "stretch": GridTransform.identity(640, 512).resize(32, 32),
}


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS.keys())
def test_finds_a_blob_where_it_is(transform: GridTransform, make_map: MakeMap) -> None:
    sigma, x, y = 40.0, 330.0, 250.0
    (region,) = regions(make_map(transform, (x, y, sigma, 7.0)), HALF)
    radius = sigma * np.sqrt(2 * np.log(2.0))
    assert region.box.iou(Box(x - radius, y - radius, 2 * radius, 2 * radius)) > 0.93
    assert (region.peak.x, region.peak.y) == pytest.approx((x, y), abs=2.0)
    # Of a round Gaussian's volume, half lies where it exceeds half its peak.
    assert region.share == pytest.approx(0.5, abs=0.04)
    assert region.rule == "calibrated"
    points = np.array([(point.x, point.y) for point in region.contour])
    assert np.hypot(points[:, 0] - x, points[:, 1] - y) == pytest.approx(radius, rel=0.05)


def test_the_paper_keeps_the_largest_part_and_the_calibrated_rule_all_of_weight(make_map: MakeMap) -> None:
    two = make_map(TRANSFORMS["plain"], (120, 150, 45, 5.0), (380, 480, 30, 6.0), (430, 60, 8, 5.0))
    both = regions(two, HALF, PAPER_RULE)
    assert [region.rule for region in both] == ["calibrated", "calibrated", "paper"]
    assert both[0].share > both[1].share > 0.1
    assert both[0].box.contains(120, 150)
    assert both[1].box.contains(380, 480)
    assert both[2].box.contains(120, 150)
    assert not both[2].box.contains(380, 480)
    everything = RegionRule("all", RegionRuleKind.PEAK_FRACTION, 0.5, largest_only=False)
    assert len(regions(two, everything)) == 3


def test_an_absolute_threshold_ignores_the_peak(make_map: MakeMap) -> None:
    rule = RegionRule("calibrated", RegionRuleKind.ABSOLUTE, 2.0)
    assert regions(make_map(TRANSFORMS["plain"], (200, 200, 40, 1.9)), rule) == ()
    assert len(regions(make_map(TRANSFORMS["plain"], (200, 200, 40, 2.5)), rule)) == 1


@pytest.mark.parametrize("base", [-1.0, 0.0])
def test_nothing_positive_means_no_region(base: float, make_map: MakeMap) -> None:
    none = make_map(TRANSFORMS["plain"], (200, 200, 40, -3.0), base=base)
    assert regions(none, PAPER_RULE, HALF) == ()
    assert not region_mask(none, HALF, 64, 51).any()


def test_a_swing_of_the_kernel_is_no_evidence() -> None:
    values = np.full((8, 8), -9.0)
    values[3:5] = 0.0
    activation = ActivationMap(values, 0.0, GridTransform.identity(80, 80).resize(8, 8))
    assert regions(activation, PAPER_RULE) == ()


def test_evidence_in_the_padding_alone_is_no_region_of_the_film(make_map: MakeMap) -> None:
    transform = GridTransform.identity(400, 200).pad(0, 0, 100, 100).resize(20, 20)
    assert regions(make_map(transform, (-60, 200, 20, 5.0), base=-0.5), PAPER_RULE) == ()


def test_shares_of_disjoint_parts_never_exceed_the_whole() -> None:
    rng = np.random.default_rng(3)
    rule = RegionRule("all", RegionRuleKind.PEAK_FRACTION, 0.1, largest_only=False)
    for transform in TRANSFORMS.values():
        values = rng.normal(size=(transform.height, transform.width))
        found = regions(ActivationMap(values, 0.0, transform), rule)
        assert len(found) > 5
        assert 0.3 < sum(region.share for region in found) <= 1.0 + 1e-9


def test_a_region_at_the_edge_is_closed_along_it(make_map: MakeMap) -> None:
    (region,) = regions(make_map(TRANSFORMS["plain"], (0, 0, 60, 5.0)), HALF)
    points = np.array([(point.x, point.y) for point in region.contour])
    assert region.box.x == region.box.y == 0.0
    assert points.min() == pytest.approx(0.0, abs=1e-9)
    assert points[:, 0].max() == pytest.approx(region.box.width, abs=3)
    # The corner of the film belongs to the outline.
    assert np.hypot(points[:, 0], points[:, 1]).min() < 3.0


def test_the_outline_encloses_the_mask(make_map: MakeMap) -> None:
    activation = make_map(TRANSFORMS["pad"], (150, 200, 50, 5.0), (250, 260, 30, 4.0))
    (region,) = regions(activation, PAPER_RULE)
    mask = region_mask(activation, PAPER_RULE, 640, 512)
    drawn = polygon2mask((640, 512), [(point.y - 0.5, point.x - 0.5) for point in region.contour])
    assert (mask & drawn).sum() / (mask | drawn).sum() > 0.98
    assert region.box.iou(Box.around(mask)) > 0.97


def test_parts_that_touch_at_a_corner_are_one() -> None:
    values = np.full((8, 8), -1.0)
    values[3, 3] = values[4, 4] = 1.0
    activation = ActivationMap(values, 0.0, GridTransform.identity(8, 8))
    rule = RegionRule("all", RegionRuleKind.PEAK_FRACTION, 0.5, largest_only=False)
    assert len(regions(activation, rule, resolution=8)) == 1


def test_the_peak_exists_even_where_all_evidence_is_against(make_map: MakeMap) -> None:
    at = peak(make_map(TRANSFORMS["flips"], (300, 120, 40, 2.0), base=-5.0))
    assert (at.x, at.y) == pytest.approx((300, 120), abs=2.0)


def test_the_peak_lies_in_the_model_s_view(make_map: MakeMap) -> None:
    cropped = make_map(TRANSFORMS["crop"], (256, 320, 40, 2.0), base=-5.0)
    assert 64 <= peak(cropped).y <= 576


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 900), (7, 3), (900, 2)])
def test_odd_films_work(height: int, width: int) -> None:
    transform = GridTransform.identity(height, width).resize(6, 6)
    (region,) = regions(ActivationMap(np.ones((6, 6)), 0.0, transform), PAPER_RULE)
    assert region.box == Box(0, 0, width, height)
    assert region.share == pytest.approx(1.0)
    assert len(region.contour) >= 3


def test_refuses_a_resolution_of_nothing(make_map: MakeMap) -> None:
    with pytest.raises(InvalidValueError):
        regions(make_map(TRANSFORMS["plain"]), PAPER_RULE, resolution=0)
