"""Dense supervision: what its loss asks, masks that move with their films, runs with masks that go on after a kill."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from medcam.core.errors import UsageError
from medcam.models.training.augment import Augmenter
from medcam.models.training.config import Augmentation, Objective, TrainingConfig
from medcam.models.training.films import Films
from medcam.models.training.loop import EpochRecord, Trainer
from medcam.models.training.losses import mask_loss
from medcam.models.training.network import new_classifier

GEOMETRY = Augmentation(shift=0.2, turn=20.0, zoom=0.2, flip=0.5, gamma=(1.0, 1.0), noise=0.0)


def trainer(config: TrainingConfig, train: Films, held_back: Films, folder: Path) -> Trainer:
    return Trainer(new_classifier(config, 1), train, held_back, config, folder)


@pytest.fixture
def masked(toy_config: TrainingConfig) -> TrainingConfig:
    """Dense supervision and the reported logit, nothing else."""
    objective = Objective(positives=0.0, negatives=0.0, background=0.0, pairs=0.0, masks=1.0)
    return replace(toy_config, head_options={}, objective=objective)


def interrupt(_record: EpochRecord) -> None:
    raise KeyboardInterrupt


def numpy_mask_loss(cells: np.ndarray, truth: np.ndarray, labels: np.ndarray) -> float:
    """Cross-entropy of the judged maps, and soft Dice of those with the finding, one map after the other."""
    yes = 1.0 / (1.0 + np.exp(-cells))
    entropies, dices = [], []
    for place in np.ndindex(labels.shape):
        if labels[place] >= 0:
            terms = truth[place] * np.log(yes[place]) + (1.0 - truth[place]) * np.log(1.0 - yes[place])
            entropies.append(-terms.mean())
        if labels[place] == 1:
            shared = (yes[place] * truth[place]).sum()
            dices.append(1.0 - (2.0 * shared + 1.0) / (yes[place].sum() + truth[place].sum() + 1.0))
    return float(np.mean(entropies)) + (float(np.mean(dices)) if dices else 0.0)


@pytest.mark.parametrize("labels", [[[1, 0], [-1, 1], [0, 1]], [[0, -1], [0, 0], [-1, 0]]])
def test_the_loss_of_masks_is_cross_entropy_and_dice_of_what_was_judged(labels: list[list[int]]) -> None:
    rng = np.random.default_rng(4)
    cells, masks = rng.normal(0.0, 2.0, (3, 2, 4, 5)), rng.random((3, 2, 8, 10)) > 0.6
    truth = masks.reshape(3, 2, 4, 2, 5, 2).mean(axis=(3, 5))
    given = mask_loss(torch.from_numpy(cells), torch.from_numpy(masks).double(), torch.tensor(labels).double())
    assert float(given) == pytest.approx(numpy_mask_loss(cells, truth, np.array(labels)), abs=1e-9)


def test_the_loss_of_masks_pushes_cells_up_inside_and_down_outside_and_leaves_the_unjudged_alone() -> None:
    cells = torch.zeros(1, 2, 4, 4, requires_grad=True)
    masks = torch.zeros(1, 2, 16, 16)
    masks[0, :, :8, :8] = 1.0
    mask_loss(cells, masks, torch.tensor([[1.0, -1.0]])).backward()
    assert cells.grad is not None
    inside = torch.zeros(4, 4, dtype=torch.bool)
    inside[:2, :2] = True
    assert (cells.grad[0, 0][inside] < 0).all()
    assert (cells.grad[0, 0][~inside] > 0).all()
    assert not cells.grad[0, 1].any()


def test_a_perfect_map_costs_next_to_nothing_and_its_opposite_much() -> None:
    masks = torch.zeros(1, 1, 8, 8)
    masks[0, 0, 2:6, 2:6] = 1.0
    right, labels = 40.0 * (masks - 0.5), torch.ones(1, 1)
    assert float(mask_loss(right, masks, labels)) < 1e-4
    assert float(mask_loss(-right, masks, labels)) > 10.0


@pytest.mark.parametrize("paired", [False, True])
def test_a_mask_moves_with_its_film(paired: bool) -> None:
    films = torch.zeros(6, 1, 64, 64)
    for place, film in enumerate(films):
        film[0, 8 + 4 * place : 30 + 4 * place, 10:26] = 1.0
    augmenter = Augmenter(GEOMETRY)
    moved, masks = augmenter(films, 11, paired=paired), augmenter.move(films, 11, paired=paired)
    assert torch.allclose(moved, masks, atol=1e-4)
    assert not torch.allclose(masks, films, atol=0.5)
    assert not torch.allclose(augmenter.move(films, 12, paired=paired), masks, atol=0.5)


def test_a_coarser_mask_of_several_findings_moves_with_its_film() -> None:
    films = torch.zeros(4, 1, 128, 128)
    films[:, 0, 30:80, 20:60] = 1.0
    coarse = torch.nn.functional.avg_pool2d(films, 4).repeat(1, 3, 1, 1)
    augmenter = Augmenter(GEOMETRY)
    wanted = torch.nn.functional.avg_pool2d(augmenter(films, 5, paired=False), 4)
    moved = augmenter.move(coarse, 5, paired=False)
    assert moved.shape == (4, 3, 32, 32)
    # The two are the same but at the mask's edge, where pooling and moving do not commute.
    for finding in range(3):
        both = torch.minimum(moved[:, finding], wanted[:, 0]).sum(dim=(1, 2))
        either = torch.maximum(moved[:, finding], wanted[:, 0]).sum(dim=(1, 2))
        assert float((both / either).min()) > 0.9


def test_masks_of_a_pair_move_alike() -> None:
    masks = torch.rand(3, 2, 16, 16).repeat(2, 1, 1, 1)
    moved = Augmenter(GEOMETRY).move(masks, 9, paired=True)
    assert torch.equal(moved[:3], moved[3:])


def test_a_network_learns_from_masks_where_the_finding_is(
    masked: TrainingConfig, toy_train: Films, toy_held_back: Films, tmp_path: Path
) -> None:
    history = trainer(replace(masked, epochs=8), toy_train, toy_held_back, tmp_path).run()
    assert set(history[0].loss) == {"gap", "masks", "total"}
    assert history[-1].loss["masks"] < 0.6 * history[0].loss["masks"]
    assert max(record.validation.pointing[0] for record in history) > 0.8


def test_a_resumed_run_with_masks_equals_an_unbroken_one(
    masked: TrainingConfig, toy_train: Films, toy_held_back: Films, tmp_path: Path
) -> None:
    whole = trainer(masked, toy_train, toy_held_back, tmp_path / "whole")
    whole.run()
    broken = trainer(masked, toy_train, toy_held_back, tmp_path / "broken")
    with pytest.raises(KeyboardInterrupt):
        broken.run(interrupt)
    resumed = trainer(masked, toy_train, toy_held_back, tmp_path / "broken")
    assert len(resumed.run()) == masked.epochs
    ours, theirs = resumed.module.state_dict(), whole.module.state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_another_weight_of_masks_is_another_run(
    masked: TrainingConfig, toy_train: Films, toy_held_back: Films, tmp_path: Path
) -> None:
    trainer(replace(masked, epochs=1), toy_train, toy_held_back, tmp_path).run()
    other = replace(masked, epochs=1, objective=replace(masked.objective, masks=0.5))
    with pytest.raises(UsageError, match="another configuration"):
        trainer(other, toy_train, toy_held_back, tmp_path).run()


def test_dense_supervision_without_masks_is_refused(
    masked: TrainingConfig, toy_train: Films, toy_held_back: Films, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="masks") as caught:
        trainer(masked, replace(toy_train, masks=None), toy_held_back, tmp_path)
    assert caught.value.code == "training-config"


def test_masks_are_not_looked_at_where_nothing_asks_for_them(
    masked: TrainingConfig, toy_train: Films, toy_held_back: Films, tmp_path: Path
) -> None:
    weak = replace(masked, epochs=1, objective=replace(masked.objective, masks=0.0))
    states = []
    for name, train in (("with", toy_train), ("without", replace(toy_train, masks=None))):
        run = trainer(weak, train, toy_held_back, tmp_path / name)
        assert set(run.run()[0].loss) == {"gap", "total"}
        states.append(run.module.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
