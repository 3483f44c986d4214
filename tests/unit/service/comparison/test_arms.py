"""Arms: alike but for what is compared; finished runs are kept."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from medcam.service.comparison.arms import Arm, arm_folder, measure_arm, trained
from medcam.service.comparison.figures import Outputs
from medcam.service.comparison.films import ComparisonFilms, ComparisonPlan
from medcam.service.comparison.pooling import HEADS, compare_heads
from medcam.service.comparison.resolution import compare_strides
from medcam.service.comparison.supervision import FULL, SEGMENTATION, WEAK, WITH_MASKS, compare_supervision


def test_heads_are_trained_alike_but_for_the_head(plan: ComparisonPlan) -> None:
    configs = [asdict(Arm(name, head).config(plan, 0, 1)) for name, head in HEADS.items()]
    assert len({config.pop("head") for config in configs}) == len(HEADS)
    assert all(config == configs[0] for config in configs)


def test_no_head_learns_from_anything_but_labels(plan: ComparisonPlan) -> None:
    objective = Arm("GAP").config(plan, 0, 1).objective
    assert objective.gap == 1.0
    assert not any((objective.positives, objective.negatives, objective.background, objective.pairs, objective.masks))
    assert replace(objective, masks=1.0) == WITH_MASKS


def test_a_finished_run_is_not_trained_again(films: ComparisonFilms, plan: ComparisonPlan, tmp_path: Path) -> None:
    made: list[int] = []

    def produce(sets: ComparisonFilms, seed: int, folder: Path) -> tuple[Outputs, Outputs]:
        made.append(seed)
        rng = np.random.default_rng(seed)
        return (
            Outputs(rng.normal(size=(10, 8, 8, 8)).astype(np.float32), rng.normal(size=(10, 8)).astype(np.float32)),
            Outputs(rng.normal(size=(10, 8, 8, 8)).astype(np.float32), rng.normal(size=(10, 8)).astype(np.float32)),
        )

    said: list[str] = []
    first = measure_arm(produce, films, plan, tmp_path / "arm", said.append)
    again = measure_arm(produce, films, plan, tmp_path / "arm", said.append)
    assert made == [0, 1]
    assert said == ["arm, seed 0", "arm, seed 1"] * 2
    np.testing.assert_equal(again.as_dict(), first.as_dict())


def test_plans_that_differ_have_folders_of_their_own(plan: ComparisonPlan) -> None:
    folders = {
        arm_folder(Path(), "head-gap", each)
        for each in (plan, replace(plan, epochs=2), replace(plan, test_seed=9), replace(plan, side=96))
    }
    assert len(folders) == 4
    assert arm_folder(Path(), "head-gap", replace(plan, seeds=(5,))) in folders


def test_a_trained_arm_gives_maps_that_pool_to_its_logits(
    films: ComparisonFilms, plan: ComparisonPlan, tmp_path: Path
) -> None:
    tuning, test = trained(Arm("GAP"), plan, 1)(films, 0, tmp_path)
    assert test.maps.shape[:2] == (10, 8)
    assert tuning.logits.shape == (10, 8)
    # Mean plus bias is the logit: what remains is one number per finding, the same for all films.
    rest = test.logits - test.maps.mean(axis=(2, 3))
    assert np.abs(rest - rest[0]).max() < 1e-3


def test_heads_and_supervision_share_the_run_that_both_need(
    plan: ComparisonPlan, comparison_folder: Path, films: ComparisonFilms
) -> None:
    said: list[str] = []
    small = replace(plan, seeds=(0,))
    heads = compare_heads(small, comparison_folder, threads=1, report=said.append)
    assert list(heads) == list(HEADS)
    assert all(figures.runs == 1 and figures.cases > 0 for figures in heads.values())
    kept = comparison_folder / arm_folder(Path(), "head-gap", small) / "seed-0" / "outputs.npz"
    written = kept.stat().st_mtime_ns

    rows = compare_supervision(small, (0.5, 1.0), comparison_folder, threads=1, report=said.append)
    assert [(row.kind, row.films) for row in rows] == [
        (kind, count)
        for count in (len(films.first(0.5).train), len(films.train))
        for kind in (WEAK, FULL, SEGMENTATION)
    ]
    assert kept.stat().st_mtime_ns == written
    weak = next(row for row in rows if row.kind == WEAK and row.films == len(films.train))
    np.testing.assert_equal(weak.figures.as_dict(), heads["GAP"].as_dict())


def test_a_segmentation_network_needs_masks(films: ComparisonFilms) -> None:
    from medcam.core.errors import UsageError
    from medcam.service.comparison.segmenter import train_segmenter

    with pytest.raises(UsageError, match="with masks"):
        train_segmenter(replace(films.train, masks=None), 1, 0)


def test_strides_share_the_run_of_the_heads(
    plan: ComparisonPlan, comparison_folder: Path, films: ComparisonFilms
) -> None:
    small = replace(plan, seeds=(0,))
    strides = compare_strides(small, comparison_folder, threads=1)
    assert list(strides) == [16, 8, 4]
    heads = compare_heads(small, comparison_folder, threads=1)
    np.testing.assert_equal(strides[8].as_dict(), heads["GAP"].as_dict())
    cells = {}
    for path in comparison_folder.glob("head-gap-stride-*/seed-0/outputs.npz"):
        with np.load(path) as arrays:
            cells[path.parent.parent.name.split("-")[3]] = arrays["maps"].shape[2]
    assert cells == {"16": 4, "4": 16}
