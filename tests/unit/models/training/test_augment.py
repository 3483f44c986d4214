"""Augmentation: random, repeatable, and the same for both films of a pair."""

from __future__ import annotations

import pytest
import torch

from medcam.core.card import InputRecipe
from medcam.models.training.augment import Augmenter, step_seed
from medcam.models.training.config import Augmentation

STILL = Augmentation(shift=0.0, turn=0.0, zoom=0.0, flip=0.0, gamma=(1.0, 1.0), noise=0.0)


def films(count: int = 4) -> torch.Tensor:
    return torch.randn(count, 1, 32, 32, generator=torch.Generator().manual_seed(5))


def test_no_range_changes_nothing() -> None:
    assert torch.allclose(Augmenter(STILL)(films(), 1, paired=False), films(), atol=1e-4)


def test_a_flip_mirrors_left_and_right() -> None:
    flipped = Augmenter(Augmentation(0.0, 0.0, 0.0, 1.0, (1.0, 1.0), 0.0))(films(), 1, paired=False)
    assert torch.allclose(flipped, films().flip(3), atol=1e-4)


def test_a_seed_decides_everything() -> None:
    augmenter = Augmenter(Augmentation(hide=1.0))
    first, again, other = (augmenter(films(), seed, paired=False) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)


def test_films_of_a_pair_change_alike_and_others_do_not() -> None:
    twins = torch.cat([films(2), films(2)])
    changed = Augmenter(Augmentation())(twins, 7, paired=True)
    assert torch.equal(changed[:2], changed[2:])
    alone = Augmenter(Augmentation())(twins, 7, paired=False)
    assert not torch.allclose(alone[:2], alone[2:])


def test_what_comes_in_from_beyond_the_edge_is_the_mean() -> None:
    shifted = Augmenter(Augmentation(0.3, 0.0, 0.0, 0.0, (1.0, 1.0), 0.0))(torch.ones(8, 1, 32, 32), 3, paired=False)
    assert abs(float(shifted.min())) < 1e-5


def test_hidden_patches_are_the_mean() -> None:
    hidden = Augmenter(Augmentation(0.0, 0.0, 0.0, 0.0, (1.0, 1.0), 0.0, hide=1.0))(films(), 1, paired=False)
    assert ((hidden == 0.0).flatten(1).sum(dim=1) > 4).all()


def test_seeds_of_steps_differ() -> None:
    assert len({step_seed(0, epoch, step) for epoch in range(4) for step in range(50)}) == 200


def test_beyond_the_edge_of_a_film_from_elsewhere_is_its_black() -> None:
    recipe = InputRecipe(32, 32, black=-1024.0, white=1024.0)
    bright = torch.full((2, 1, 32, 32), 900.0)
    moved = Augmenter(Augmentation(0.4, 0.0, 0.0, 0.0, (1.0, 1.0), 0.0), recipe)(bright, 3, paired=False)
    assert moved.min() == pytest.approx(-1024.0, abs=0.01)
    assert moved.max() == pytest.approx(900.0, abs=0.01)
    noisy = Augmenter(Augmentation(0.0, 0.0, 0.0, 0.0, (1.0, 1.0), 0.05), recipe)(bright, 3, paired=False)
    assert 1.0 < noisy.std() < 0.05 * 512.0
