"""Losses: who is asked, in which direction, and who is left alone."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from medcam.core.errors import InvalidValueError
from medcam.models.training.config import Extent, Objective
from medcam.models.training.losses import (
    CellCounts,
    Contrast,
    background_loss,
    classification_loss,
    masked_mean,
    negatives_loss,
    pair_loss,
    positives_loss,
)


def gradient(loss: torch.Tensor, of: torch.Tensor) -> torch.Tensor:
    loss.backward()  # type: ignore[no-untyped-call]
    assert of.grad is not None
    return of.grad


def test_cross_entropy_counts_known_labels_alone() -> None:
    logits = torch.tensor([[0.0, 2.0], [1.0, -1.0]])
    labels = torch.tensor([[1.0, -1.0], [0.0, 1.0]])
    wanted = (math.log(2.0) + math.log1p(math.exp(1.0)) + 3.0 * math.log1p(math.exp(1.0))) / 3.0
    assert float(classification_loss(logits, labels, torch.tensor([1.0, 3.0]))) == pytest.approx(wanted, abs=1e-6)


def test_a_mean_over_nothing_is_nought() -> None:
    assert float(masked_mean(torch.ones(3), torch.zeros(3, dtype=torch.bool))) == 0.0


def test_the_question_narrows_from_all_cells_to_the_smallest_extent() -> None:
    objective = Objective(extents={"Nodule": Extent(0.01, 0.05)})
    counts = [CellCounts.of(["Nodule"], objective, 1000, focus) for focus in (0.0, 0.5, 1.0)]
    assert [int(count.smallest) for count in counts] == [1000, 100, 10]
    assert {int(count.largest) for count in counts} == {50}


def test_background_is_never_empty() -> None:
    counts = CellCounts.of(["All"], Objective(extents={"All": Extent(1.0, 1.0)}), 16)
    assert int(counts.largest) == 15


@pytest.mark.parametrize(("smallest", "largest"), [(0.0, 0.5), (0.5, 0.1), (0.1, 1.5)])
def test_an_impossible_extent_is_refused(smallest: float, largest: float) -> None:
    with pytest.raises(InvalidValueError):
        Extent(smallest, largest)


def test_the_strongest_cells_of_positive_films_are_pushed_up() -> None:
    ranked = torch.arange(10.0, 0.0, -1.0).repeat(2, 1, 1).requires_grad_()
    counts = CellCounts(torch.tensor([3]), torch.tensor([6]))
    moved = gradient(positives_loss(ranked, torch.tensor([[1.0], [0.0]]), counts), ranked)
    assert (moved[0, 0, :3] < 0).all()
    assert not moved[0, 0, 3:].any()
    assert not moved[1].any()


def test_only_films_known_to_be_without_the_finding_are_silenced() -> None:
    ranked = torch.zeros(3, 1, 200, requires_grad=True)
    moved = gradient(negatives_loss(ranked, torch.tensor([[0.0], [1.0], [-1.0]]), focus=1.0), ranked)
    assert (moved[0] > 0).all()
    assert not moved[1:].any()
    assert float(moved[0, 0, 0]) > 10 * float(moved[0, 0, -1])


def test_cells_beyond_the_largest_extent_are_silenced() -> None:
    ranked = torch.zeros(2, 1, 10, requires_grad=True)
    counts = CellCounts(torch.tensor([1]), torch.tensor([4]))
    moved = gradient(background_loss(ranked, torch.tensor([[1.0], [0.0]]), counts), ranked)
    assert not moved[0, 0, :4].any()
    assert (moved[0, 0, 4:] > 0).all()
    assert not moved[1].any()


def test_a_contrast_finds_what_differs_whatever_the_overall_brightness() -> None:
    without = torch.randn(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    with_it = without + 0.3
    with_it[:, :, 16:32, 8:24] += 1.5
    contrast = Contrast.of(torch.cat([with_it, without]), 16, 16)
    inside = torch.zeros(1, 1, 16, 16, dtype=torch.bool)
    inside[:, :, 4:8, 2:6] = True
    near = F.max_pool2d(inside.float(), 3, stride=1, padding=1).bool()
    assert contrast.denser[inside].all()
    assert not contrast.denser[~near].any()
    assert not contrast.darker.any()
    assert contrast.same[~near].all()
    assert not (contrast.denser & contrast.same).any()
    turned = Contrast.of(torch.cat([without, with_it]), 16, 16)
    assert torch.equal(turned.darker, contrast.denser)
    assert not turned.denser.any()


def test_equal_films_tell_nothing() -> None:
    contrast = Contrast.of(torch.ones(2, 1, 32, 32), 8, 8)
    assert not contrast.denser.any()
    assert not contrast.darker.any()
    assert not contrast.same.any()


@pytest.mark.parametrize(("holder", "air"), [(0, False), (0, True), (1, False), (1, True)])
def test_a_pair_moves_the_finding_that_differs_where_it_changes_the_film_its_way(holder: int, air: bool) -> None:
    cells = torch.zeros(2, 2, 4, 4, requires_grad=True)
    denser, darker = torch.zeros(2, 1, 1, 4, 4, dtype=torch.bool)
    denser[0, 0, 1, 1] = darker[0, 0, 2, 2] = True
    same = ~(denser | darker)
    # One film of the pair has the first finding; both share the second.
    labels = torch.tensor([[0.0, 1.0], [0.0, 1.0]])
    labels[holder, 0] = 1.0
    loss = pair_loss(cells, labels, Contrast(denser, darker, same), torch.tensor([air, False]))
    moved = gradient(loss, cells)
    # Contrast tells how the first film differs from the second, so that it turns around when the second has it.
    yes, open_ = ((1, 1), (2, 2)) if (holder == 0) != air else ((2, 2), (1, 1))
    assert float(moved[(holder, 0, *yes)]) < 0
    assert float(moved[(holder, 0, *open_)]) == 0
    assert (moved[holder, 0][same[0, 0]] > 0).all()
    assert not moved[1 - holder].any()
    assert not moved[:, 1].any()
