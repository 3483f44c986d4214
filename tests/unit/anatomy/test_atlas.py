"""The atlas: what ships, how it is kept, how it is built."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medcam.anatomy import Atlas, AtlasError, build_atlas, shipped_atlas, with_sight
from medcam.anatomy.atlas import LUNG_BOX, NAMES, SIDE
from medcam.anatomy.build import lung_box
from medcam.core.errors import InvalidValueError
from medcam.core.zones import BODY_ZONES
from medcam.service.measure.atlas import AtlasPlan, phantom_atlas


@pytest.fixture(scope="module")
def small() -> Atlas:
    """Of few phantoms."""
    return phantom_atlas(AtlasPlan(seed=1, count=3, size=160))


def test_the_shipped_atlas_is_the_one_that_the_documented_command_builds() -> None:
    plan = AtlasPlan()
    expected = f"{plan.count} phantoms of seed {plan.seed} without findings at {plan.size} px"
    assert shipped_atlas().origin == expected


def test_the_shipped_atlas_agrees_with_the_phantoms_of_today(small: Atlas) -> None:
    shipped = shipped_atlas()
    assert small.aspect == pytest.approx(shipped.aspect, rel=0.1)
    for name in BODY_ZONES:
        first, second = small.maps[name].ravel(), shipped.maps[name].ravel()
        assert np.corrcoef(first, second)[0, 1] > 0.9, name
    assert np.corrcoef(small.visible.ravel(), shipped.visible.ravel())[0, 1] > 0.97


def test_lungs_fill_the_frame_and_lie_on_their_sides() -> None:
    atlas = shipped_atlas()
    box = lung_box(atlas.lungs > 0.5)
    assert box == pytest.approx(LUNG_BOX, abs=4)
    columns = np.arange(SIDE)
    assert (atlas.right_lung.sum(axis=0) @ columns) / atlas.right_lung.sum() < SIDE / 2
    assert (atlas.left_lung.sum(axis=0) @ columns) / atlas.left_lung.sum() > SIDE / 2
    assert (atlas.maps["heart"].sum(axis=0) @ columns) / atlas.maps["heart"].sum() > SIDE / 2


def test_less_lung_is_seen_than_there_is() -> None:
    atlas = shipped_atlas()
    assert 0.75 < atlas.visible.sum() / atlas.lungs.sum() < 0.98
    assert atlas.visible[atlas.lungs < 0.02].max() < 0.2


def test_organs_are_continued_beside_the_body() -> None:
    atlas = shipped_atlas()
    narrow = atlas.maps["body"].copy()
    narrow[:, :30] = narrow[:, -30:] = 0.0
    organs = replace(atlas, maps={**atlas.maps, "body": narrow}).organs()
    assert set(organs) == {"right-lung", "left-lung", "heart", "mediastinum", "below-diaphragm"}
    assert np.sum(list(organs.values()), axis=0).max() <= 1.0 + 0.02
    assert organs["below-diaphragm"][-1, :30] == pytest.approx(atlas.maps["below-diaphragm"][-1, 30])
    for name in ("heart", "mediastinum", "below-diaphragm"):
        assert np.array_equal(organs[name][:, 30:-30], atlas.maps[name][:, 30:-30])


def test_an_atlas_comes_back_as_it_was_saved(small: Atlas, tmp_path: Path) -> None:
    small.save(tmp_path / "atlas.npz")
    again = Atlas.load(tmp_path / "atlas.npz")
    assert (again.origin, again.aspect) == (small.origin, small.aspect)
    for name in NAMES:
        assert np.abs(again.maps[name] - small.maps[name]).max() <= 0.5 / 255 + 1e-6
    assert np.abs(again.visible - small.visible).max() <= 0.5 / 255 + 1e-6
    again.save(tmp_path / "second.npz")
    assert (tmp_path / "second.npz").read_bytes() == (tmp_path / "atlas.npz").read_bytes()


@pytest.mark.parametrize("content", [b"", b"no archive"])
def test_what_is_no_atlas_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "atlas.npz").write_bytes(content)
    with pytest.raises(AtlasError, match="cannot be read"):
        Atlas.load(tmp_path / "atlas.npz")


def test_a_missing_atlas_and_one_without_its_maps_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AtlasError):
        Atlas.load(tmp_path / "none.npz")
    np.savez(tmp_path / "half.npz", picture=np.zeros((SIDE, SIDE), dtype=np.uint8))
    with pytest.raises(AtlasError):
        Atlas.load(tmp_path / "half.npz")


def test_an_atlas_cannot_hold_what_is_no_map(small: Atlas) -> None:
    with pytest.raises(InvalidValueError, match="128 x 128"):
        replace(small, visible=np.zeros((4, 4), dtype=np.float32))
    with pytest.raises(InvalidValueError, match="between 0 and 1"):
        replace(small, picture=np.full((SIDE, SIDE), 1.5, dtype=np.float32))
    with pytest.raises(InvalidValueError, match="exactly the maps"):
        replace(small, maps={"heart": small.maps["heart"]})
    with pytest.raises(InvalidValueError, match="aspect"):
        replace(small, aspect=0.0)


def blocks(top: int, left: int, scale: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Two lungs, a heart and a body of rectangles; the lungs reach from (top, left) over 12 x 10 units of `scale`."""
    side = 240
    masks = {name: np.zeros((side, side), dtype=bool) for name in NAMES}

    def fill(name: str, y: int, x: int, height: int, width: int) -> None:
        rows = slice(top + y * scale, top + (y + height) * scale)
        masks[name][rows, left + x * scale : left + (x + width) * scale] = True

    for number, part in enumerate(("upper", "middle", "lower")):
        fill(f"right-{part}-lung", 4 * number, 0, 4, 4)
        fill(f"left-{part}-lung", 4 * number, 6, 4, 4)
    fill("heart", 6, 4, 6, 2)
    fill("mediastinum", 0, 4, 6, 2)
    fill("below-diaphragm", 12, 0, 2, 10)
    masks["body"][5:-5, 5:-5] = True
    lungs = np.any([masks[name] for name in NAMES if name.endswith("-lung")], axis=0)
    return np.where(lungs, 0.1, np.where(masks["body"], 0.8, 0.0)).astype(np.float32), masks


def test_cases_of_any_size_and_place_are_brought_into_one_frame() -> None:
    first = build_atlas([blocks(40, 30, 10)], origin="one")
    both = build_atlas([blocks(40, 30, 10), blocks(30, 60, 12)], origin="two")
    assert both.aspect == pytest.approx(1.2, abs=0.02)
    for name in BODY_ZONES:
        assert np.abs(first.maps[name] - both.maps[name]).mean() < 0.01, name


def test_cases_that_cannot_be_used_are_refused() -> None:
    picture, masks = blocks(40, 30, 10)
    with pytest.raises(AtlasError, match="at least one"):
        build_atlas([], origin="none")
    with pytest.raises(AtlasError, match="at least one"):
        with_sight(shipped_atlas(), [])
    with pytest.raises(AtlasError, match="cannot be used"):
        build_atlas([(picture, {"body": masks["body"]})], origin="no zones")
    with pytest.raises(AtlasError, match="shape"):
        build_atlas([(picture[:-1], masks)], origin="other shape")
    empty = {name: np.zeros_like(mask) if name.endswith("-lung") else mask for name, mask in masks.items()}
    with pytest.raises(AtlasError, match="hardly any lung"):
        build_atlas([(picture, empty)], origin="no lung")
