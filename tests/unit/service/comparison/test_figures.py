"""Figures of a comparison against values computed by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from medcam.core.card import PAPER_RULE
from medcam.core.errors import InvalidValueError
from medcam.models.training.films import Films
from medcam.service.comparison.differences import differences
from medcam.service.comparison.figures import Measured, Outputs, arm_figures, locate, mean_auc, tuned_rules

SIDE, CELLS = 32, 8


def _films(count: int = 6) -> Films:
    """Two findings; the first, on every even film, is a square of 8 x 8 pixels at (8, 8)."""
    labels = np.zeros((count, 2), dtype=np.int8)
    labels[::2, 0] = 1
    labels[1::3, 1] = 1
    masks = np.zeros((count, 2, SIDE, SIDE), dtype=bool)
    masks[::2, 0, 8:16, 8:16] = True
    return Films(
        names=("Nodule", "Mass"),
        images=np.zeros((count, SIDE, SIDE), dtype=np.float16),
        labels=labels,
        patients=np.arange(count, dtype=np.int64),
        partners=np.full(count, -1, dtype=np.int64),
        masks=masks,
    )


def _outputs(films: Films, row: int, column: int) -> Outputs:
    """Maps whose only evidence is a block of 2 x 2 cells."""
    maps = np.zeros((len(films), 2, CELLS, CELLS), dtype=np.float32)
    maps[:, :, row : row + 2, column : column + 2] = 1.0
    return Outputs(maps, films.labels.astype(np.float32))


def test_a_map_on_the_finding_is_right_by_every_figure() -> None:
    films = _films()
    cases = locate(_outputs(films, 2, 2), films, (PAPER_RULE, PAPER_RULE))
    assert [case.finding for case in cases] == [0, 0, 0]  # the second finding has no mask to be measured on
    assert all(case.pointed and case.covered == 1.0 for case in cases)
    enlarged = np.asarray(
        Image.fromarray(_outputs(films, 2, 2).maps[0, 0]).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    )
    above = enlarged > 0.2 * enlarged.max()
    assert films.masks is not None
    assert (above & films.masks[0, 0]).sum() == 64
    assert [case.iou for case in cases] == pytest.approx([64 / above.sum()] * 3)
    # Pixels 7 to 16 each way.
    assert [case.box_iou for case in cases] == pytest.approx([64 / 100] * 3)


def test_a_map_beside_the_finding_is_wrong_by_every_figure() -> None:
    films = _films()
    cases = locate(_outputs(films, 6, 6), films, (PAPER_RULE, PAPER_RULE))
    assert not any(case.pointed or case.covered or case.iou or case.box_iou for case in cases)


def test_a_map_without_evidence_has_no_box() -> None:
    films = _films()
    empty = Outputs(np.full((6, 2, CELLS, CELLS), -1.0, dtype=np.float32), np.zeros((6, 2), dtype=np.float32))
    cases = locate(empty, films, (PAPER_RULE, PAPER_RULE))
    assert [case.box_iou for case in cases] == [0.0, 0.0, 0.0]


def test_rules_are_tuned_where_the_finding_is_and_stay_the_papers_elsewhere() -> None:
    films = _films()
    first, second = tuned_rules(_outputs(films, 2, 2), films)
    assert first.threshold > PAPER_RULE.threshold  # a higher cut fits the square more closely
    assert second.threshold == PAPER_RULE.threshold


def test_errors_and_shares_are_pooled_over_runs() -> None:
    films = _films()
    rules = (PAPER_RULE, PAPER_RULE)
    runs = [locate(_outputs(films, at, at), films, rules) for at in (2, 6)]
    figures = arm_figures(Measured(tuple(runs), (films.labels.astype(np.float32),) * 2), films)
    assert figures.runs == 2
    assert figures.cases == 6
    assert figures.error.value == pytest.approx(0.5)
    assert figures.pointing.value == pytest.approx(0.5)
    assert figures.iou.value == pytest.approx(32 / 88)
    assert figures.auc.value == 1.0
    assert np.isnan(figures.iou_by_finding[1])


def test_mean_auc_is_that_of_an_independent_computation() -> None:
    films = _films(60)
    logits = np.random.default_rng(4).normal(size=(60, 2)).astype(np.float32)
    expected = np.mean([roc_auc_score(films.labels[:, place], logits[:, place]) for place in range(2)])
    figure = mean_auc(films, [logits])
    assert figure.value == pytest.approx(expected)
    assert figure.low < figure.value < figure.high


def test_films_without_masks_are_refused() -> None:
    bare = replace(_films(), masks=None)
    with pytest.raises(InvalidValueError, match="without masks"):
        locate(_outputs(bare, 2, 2), bare, (PAPER_RULE, PAPER_RULE))
    with pytest.raises(InvalidValueError, match="with masks"):
        tuned_rules(_outputs(bare, 2, 2), bare)


def test_differences_are_paired() -> None:
    films, rules = _films(40), (PAPER_RULE, PAPER_RULE)
    right, wrong = (locate(_outputs(films, at, at), films, rules) for at in (2, 6))
    logits = np.random.default_rng(1).normal(size=(40, 2)).astype(np.float32)
    less = differences(Measured((right,), (logits,)), Measured((wrong,), (logits,)), films)
    assert (less.pointing.low, less.pointing.value, less.pointing.high) == (1.0, 1.0, 1.0)
    assert less.error.value == -1.0
    assert (less.auc.low, less.auc.high) == (0.0, 0.0)  # the same logits: no film drawn makes a difference
    none = differences(Measured((wrong,), (logits,)), Measured((wrong,), (logits,)), films)
    assert (none.iou.low, none.iou.high) == (0.0, 0.0)
    with pytest.raises(InvalidValueError, match="same films"):
        differences(Measured((right,), (logits,)), Measured((right[::-1],), (logits,)), films)
