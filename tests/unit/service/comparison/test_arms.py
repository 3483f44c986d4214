"""Arms: alike but for what is compared; finished runs are kept."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from medcam.service.comparison.arms import Arm, ArmRuns, Trained, arm_folder, make_runs, threads_each
from medcam.service.comparison.figures import Outputs, arm_figures
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


@dataclass(frozen=True)
class Random:
    """Random outputs; leaves a mark for every run that it makes."""

    marks: Path

    def __call__(self, films: ComparisonFilms, seed: int, folder: Path) -> tuple[Outputs, Outputs]:
        (self.marks / f"{folder.parent.name}-{seed}-{len(list(self.marks.iterdir()))}").write_text(str(os.getpid()))
        rng = np.random.default_rng(seed)
        first, second = (
            Outputs(rng.normal(size=(10, 8, 8, 8)).astype(np.float32), rng.normal(size=(10, 8)).astype(np.float32))
            for _ in range(2)
        )
        return first, second


@pytest.mark.parametrize("workers", [1, 2])
def test_a_finished_run_is_not_made_again(
    films: ComparisonFilms, plan: ComparisonPlan, tmp_path: Path, workers: int
) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    arm, said = ArmRuns(Random(marks), films, plan, tmp_path / "arm"), []
    make_runs([arm], workers, said.append)
    first = arm_figures(arm.measured(), films.test)
    make_runs([arm], workers, said.append)
    assert sorted(said) == ["arm, seed 0", "arm, seed 1"]
    assert len(list(marks.iterdir())) == 2
    if workers == 2:
        assert str(os.getpid()) not in {mark.read_text() for mark in marks.iterdir()}
    np.testing.assert_equal(arm_figures(arm.measured(), films.test).as_dict(), first.as_dict())


def test_threads_are_shared_among_processes() -> None:
    assert threads_each(1, 0) == 0
    assert threads_each(1, 4) == 4
    assert threads_each(2, 4) == 2
    assert threads_each(4, 0) == threads_each(4, 2) == 1


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
    tuning, test = Trained(Arm("GAP"), plan, 1)(films, 0, tmp_path)
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
    compared = compare_heads(small, comparison_folder, threads=1, report=said.append)
    heads = compared.arms
    assert list(heads) == list(HEADS)
    assert set(compared.gap_less) == set(HEADS) - {"GAP"}
    less = compared.gap_less["LSE"]
    assert less.auc.value == pytest.approx(heads["GAP"].auc.value - heads["LSE"].auc.value)
    assert less.iou.value == pytest.approx(heads["GAP"].iou.value - heads["LSE"].iou.value)
    assert all(figures.runs == 1 and figures.cases > 0 for figures in heads.values())
    kept = comparison_folder / arm_folder(Path(), "head-gap", small) / "seed-0" / "outputs.npz"
    written = kept.stat().st_mtime_ns

    supervised = compare_supervision(small, (0.5, 1.0), comparison_folder, threads=1, report=said.append)
    rows = supervised.rows
    assert [(row.kind, row.films) for row in rows] == [
        (kind, count)
        for count in (len(films.first(0.5).train), len(films.train))
        for kind in (WEAK, FULL, SEGMENTATION)
    ]
    assert kept.stat().st_mtime_ns == written
    assert {row.figures.runs for row in rows} == {1}
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
    heads = compare_heads(small, comparison_folder, threads=1).arms
    np.testing.assert_equal(strides[8].as_dict(), heads["GAP"].as_dict())
    cells = {}
    for path in comparison_folder.glob("head-gap-stride-*/seed-0/outputs.npz"):
        with np.load(path) as arrays:
            cells[path.parent.parent.name.split("-")[3]] = arrays["maps"].shape[2]
    assert cells == {"16": 4, "4": 16}
