"""Findings have the size that is written down, measured on what was drawn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import binary_opening

from medcam.core.geometry import Box
from medcam.phantom import FINDINGS, FindingSpec, Phantom, sample_case
from medcam.phantom.case import LEFT, RIGHT
from medcam.phantom.findings import INSERTERS, ORDER
from medcam.phantom.grid import Grid
from medcam.phantom.thorax import Thorax, build_thorax
from medcam.phantom.truth import MAP_CELLS, dilate

from .conftest import SIDE, Pair


def cardiothoracic_ratio(film: Phantom) -> float:
    """As read off a film: greatest width of the heart over greatest inner width of the thorax."""
    lung = np.any([mask for name, mask in film.zones.items() if name.endswith("-lung")], axis=0)
    heart = np.flatnonzero(film.zones["heart"].any(axis=0))
    thorax = np.flatnonzero((lung | film.zones["heart"]).any(axis=0))
    return float(heart[-1] - heart[0] + 1) / float(thorax[-1] - thorax[0] + 1)


def healthy_thorax(size: int = 192) -> Thorax:
    """A thorax that lies wholly on its film."""
    patient = sample_case(2, 3, prevalence=0.0).patient
    grid = Grid(size, 460.0)
    return build_thorax(grid, patient, heart_ratio=0.44, raised={RIGHT: 0.0, LEFT: 0.0}, detail=False)


def test_a_heart_without_cardiomegaly_is_normal(healthy: list[Phantom]) -> None:
    ratios = [cardiothoracic_ratio(film) for film in healthy]
    assert min(ratios) >= 0.36
    assert max(ratios) <= 0.50


def test_an_enlarged_heart_is_as_wide_as_is_said(pairs: dict[str, list[Pair]]) -> None:
    for pair in pairs["Cardiomegaly"]:
        said = pair.truth.parameters["cardiothoracic_ratio"]
        assert 0.50 <= cardiothoracic_ratio(pair.film) <= 0.72
        assert cardiothoracic_ratio(pair.film) == pytest.approx(said, abs=0.04)
        assert cardiothoracic_ratio(pair.film) > cardiothoracic_ratio(pair.partner) + 0.02


@pytest.mark.parametrize("ratio", [0.40, 0.48, 0.53, 0.62, 0.70])
def test_the_heart_is_drawn_as_wide_as_was_asked(ratio: float) -> None:
    patient = sample_case(2, 3, prevalence=0.0).patient
    thorax = build_thorax(Grid(256, 460.0), patient, heart_ratio=ratio, raised={}, detail=False)
    assert thorax.cardiac.ratio == pytest.approx(ratio, abs=0.025)


@pytest.mark.parametrize("volume", [120.0, 500.0, 1400.0])
@pytest.mark.parametrize("side", [RIGHT, LEFT])
def test_an_effusion_holds_the_volume_that_was_asked(volume: float, side: int) -> None:
    thorax = healthy_thorax()
    room = float(thorax.aerated[side].sum()) * thorax.grid.pitch**2 / 1000
    assert room > volume
    fluid = INSERTERS["Pleural Effusion"].insert(
        thorax, FindingSpec("Pleural Effusion", side, {"volume_ml": volume}, seed=1)
    )
    assert float(fluid.sum()) * thorax.grid.pitch**2 / 1000 == pytest.approx(volume, rel=0.10)


def test_an_effusion_climbs_along_the_chest_wall() -> None:
    thorax = healthy_thorax()
    fluid = INSERTERS["Pleural Effusion"].insert(
        thorax, FindingSpec("Pleural Effusion", LEFT, {"volume_ml": 700.0}, seed=1)
    )
    wet = fluid > 0.12 * fluid.max()
    columns = np.flatnonzero(wet.any(axis=0))
    tops = np.argmax(wet, axis=0)[columns]
    outermost, middle = tops[-8:].min(), np.median(tops[: len(tops) // 2])
    assert (middle - outermost) * thorax.grid.pitch > 8


@pytest.mark.parametrize("name", ["Nodule", "Mass"])
@pytest.mark.parametrize("diameter", [9.0, 20.0, 30.0, 65.0])
def test_a_rounded_opacity_is_as_wide_as_is_said(name: str, diameter: float) -> None:
    thorax = healthy_thorax(256)
    spec = FindingSpec(name, RIGHT, {"diameter_mm": diameter, "density": 1.0}, seed=5)
    path = INSERTERS[name].insert(thorax, spec)
    area = float((path > INSERTERS[name].footprint * path.max()).sum()) * thorax.grid.pitch**2
    assert 2 * np.sqrt(area / np.pi) == pytest.approx(diameter, rel=0.15)
    assert float(path.max()) == pytest.approx(diameter, rel=0.15)


@pytest.mark.parametrize("rim", [8.0, 25.0, 48.0])
def test_a_pneumothorax_has_the_rim_that_is_said(rim: float) -> None:
    thorax = healthy_thorax(256)
    spec = FindingSpec("Pneumothorax", RIGHT, {"rim_mm": rim, "reach": 1.0}, seed=5)
    air = INSERTERS["Pneumothorax"].insert(thorax, spec) > 0.5
    top = np.flatnonzero(air.any(axis=1))[0]
    # Under the apex the air is as deep as the rim; the rounded top of the lung takes a little of it.
    depth = air.sum(axis=0).max() * thorax.grid.pitch
    assert abs(float(thorax.grid.y[top, 0]) - thorax.patient.apex) < 12
    assert depth >= 0.8 * rim
    widths = air.sum(axis=1) * thorax.grid.pitch
    assert widths[thorax.grid.row(thorax.patient.apex + 60)] == pytest.approx(rim, rel=0.35, abs=4)


def test_pneumothorax_leaves_air_without_markings() -> None:
    patient = sample_case(2, 3, prevalence=0.0).patient
    thorax = build_thorax(Grid(192, 460.0), patient, heart_ratio=0.44, raised={}, detail=True)
    before = np.abs(thorax.markings).copy()
    spec = FindingSpec("Pneumothorax", LEFT, {"rim_mm": 30.0, "reach": 1.0}, seed=5)
    air = INSERTERS["Pneumothorax"].insert(thorax, spec) > 0.99
    assert np.abs(thorax.markings)[air].sum() < 0.05 * before[air].sum()


def test_masks_of_devices_are_thin_lines_dilated_by_a_map_cell(pairs: dict[str, list[Pair]]) -> None:
    for pair in pairs["Support Devices"]:
        mask = pair.truth.mask
        change = np.abs(pair.film.linear - pair.partner.linear)
        metal = change > 0.5 * change.max()
        assert (metal & mask).sum() > 0.9 * metal.sum()
        # A line of no width grows to a band of one cell and the pixel itself.
        middle = mask[:, mask.any(axis=0)].sum()
        assert middle > 2 * metal.sum()
        assert _least_width(mask) >= SIDE / MAP_CELLS


def _least_width(mask: np.ndarray) -> int:
    """Widest opening that a mask survives nearly whole, in pixels."""
    width = 1
    padded = np.pad(mask, 16, mode="edge")
    while width < 16 and binary_opening(padded, np.ones((1, width + 1)))[padded].mean() > 0.9:
        width += 1
    return width


@pytest.mark.parametrize("radius", [1.0, 2.0, 5.0])
def test_dilation_grows_a_point_to_a_disc(radius: float) -> None:
    point = np.zeros((21, 21), dtype=bool)
    point[10, 10] = True
    grown = dilate(point, radius)
    rows, columns = np.nonzero(grown)
    assert radius <= np.hypot(rows - 10, columns - 10).max() <= radius + 0.3
    assert grown[10, 10 + round(radius)]
    assert not dilate(np.zeros((9, 9), dtype=bool), 2.0).any()


def test_sided_findings_lie_on_the_side_that_is_said(pairs: dict[str, list[Pair]]) -> None:
    for name in ("Pleural Effusion", "Pneumothorax", "Consolidation", "Nodule", "Mass", "Atelectasis"):
        for pair in pairs[name]:
            middle = np.nonzero(pair.film.zones["spine"])[1].mean()
            centre = np.nonzero(pair.truth.mask)[1].mean()
            # The patient's right is on the left of the picture.
            assert (pair.truth.side == "right") == (centre < middle), name


def test_boxes_are_the_tightest_around_their_masks(crowded) -> None:
    for _, film in crowded:
        for truth in film.truths:
            assert truth.box == Box.around(truth.mask)
            assert truth.mask.any()


def test_every_finding_has_an_inserter_and_a_place_in_the_order() -> None:
    assert set(INSERTERS) == set(ORDER) == set(FINDINGS)
    assert len(ORDER) == len(FINDINGS)
