"""Region rules on planted opacities: boxes around parts, the choice of a threshold, the page's verdict."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from medcam.core.errors import UsageError
from medcam.core.geometry import Box
from medcam.experiments.budget import Budget
from medcam.experiments.experiment import Setting
from medcam.experiments.nih_regions import NIH_REGIONS
from medcam.service.opacity.films import OpacityFilms
from medcam.service.opacity.region_rules import VARIANTS, best_rule, boxed, smoothed, unseen_boxed


def test_boxes_are_drawn_around_each_part_and_corners_join() -> None:
    mask = np.zeros((10, 10), bool)
    mask[1, 1] = mask[2, 2] = mask[7, 5:8] = mask[8, 5] = True
    want = np.zeros_like(mask)
    want[1:3, 1:3] = want[7:9, 5:8] = True
    assert np.array_equal(boxed(mask), want)
    assert not boxed(np.zeros((4, 4), bool)).any()


def test_a_wide_truth_asks_for_a_lower_threshold_than_a_narrow_one() -> None:
    rows, columns = np.mgrid[:20, :20]
    maps = np.exp(-((rows - 9.5) ** 2 + (columns - 9.5) ** 2) / 30.0)[None].astype(np.float32)
    narrow, wide = (np.zeros((1, 80, 80), bool) for _ in range(2))
    narrow[0, 32:48, 32:48] = True
    wide[0, 12:68, 12:68] = True
    assert best_rule(maps, wide, boxed_too=True).threshold < best_rule(maps, narrow, boxed_too=True).threshold


def test_smoothing_keeps_a_flat_map_and_lowers_a_peak() -> None:
    maps = np.ones((1, 8, 8), np.float32)
    assert np.allclose(smoothed(maps, 1.0), 1.0)
    maps[0, 4, 4] = 5.0
    assert smoothed(maps, 1.0).max() < 3.0
    assert smoothed(maps, 0.0) is maps


def test_the_experiment_asks_for_its_films(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        NIH_REGIONS.run(Setting(Budget.SLICE, 0, tmp_path))
    assert error.value.code == "no-films"


@pytest.mark.parametrize(("iou", "said"), [(0.26, ".25 was reached"), (0.24, ".25 was not reached")])
def test_the_page_says_whether_the_aim_was_reached(iou: float, said: str) -> None:
    def row(name: str, value: float) -> dict[str, object]:
        figure = {"value": value, "low": value - 0.03, "high": value + 0.03}
        rule = {"threshold": 0.1, "largest_only": False, "smallest_share": 0.1}
        readers = {"iou": figure, "iobb": figure, "area": figure}
        return {"name": name, "rule": rule, "planted": figure, "readers": readers}

    names = [variant.name for variant in VARIANTS[:2]]
    figures = {"rows": [row(names[0], 0.13), row(names[1], iou)], "first": names[1], "weights": "0" * 64}
    figures |= {"zonal": 3, "planted": 9, "boxed": 5, "unseen": 4}
    assert said in NIH_REGIONS.page(figures).body
    assert "do not overlap" in NIH_REGIONS.page(figures).body
    assert ".13" in NIH_REGIONS.summary(figures)[0].here


def test_films_of_a_patient_with_a_film_that_pairs_were_made_of_are_not_measured() -> None:
    box = (Box(0.1, 0.1, 0.2, 0.2),)
    labels, patients = np.array([1, 0, 1, 0], np.int8), np.array([1, 1, 2, 3])
    paths = tuple(Path(f"{number}.png") for number in range(4))
    films = OpacityFilms(paths, patients, np.array(["PA"] * 4), labels, labels, {0: box, 2: box, 3: box}, {})
    assert unseen_boxed(films).tolist() == [2]
