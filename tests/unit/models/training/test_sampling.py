"""The order of films: pairs together, every film at most once, the same for the same seed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from medcam.models.training.films import Films
from medcam.models.training.sampling import epoch_batches, steps_per_epoch


def test_pairs_lie_half_a_batch_apart(toy_train: Films) -> None:
    batches = list(epoch_batches(toy_train, 8, 0, 0))
    assert len(batches) == 6 == steps_per_epoch(toy_train, 8)
    for index, paired in batches:
        assert paired
        assert (toy_train.partners[index[:4]] == index[4:]).all()
    assert len(np.unique(np.concatenate([index for index, _ in batches]))) == 48


def test_films_without_partners_are_batched_alone(toy_train: Films) -> None:
    single = replace(toy_train, partners=np.full(len(toy_train), -1))
    batches = list(epoch_batches(single, 10, 0, 0))
    assert [len(index) for index, paired in batches if not paired] == [10, 10, 10, 10]
    assert not any(paired for _, paired in batches)


def test_epochs_differ_and_repeat(toy_train: Films) -> None:
    orders = [np.concatenate([i for i, _ in epoch_batches(toy_train, 8, 0, epoch)]).tolist() for epoch in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]
