"""The order of films in an epoch: pairs stay together, batches are laid out as first halves then second halves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from medcam.models.training.films import Films

Index = npt.NDArray[np.int64]


def epoch_batches(films: Films, batch: int, seed: int, epoch: int) -> Iterator[tuple[Index, bool]]:
    """Yields (indices, paired) for one epoch.

    A paired batch holds film i at place i and its partner at place i + batch / 2. Films without a partner are batched
    on their own, so that sets without pairs train the same way. The last films that do not fill a batch wait for
    another epoch.
    """
    order = np.random.default_rng([seed, epoch])
    leaders = np.flatnonzero(films.partners >= 0)
    followers = np.zeros(len(films), dtype=np.bool_)
    followers[films.partners[leaders]] = True
    alone = np.flatnonzero((films.partners < 0) & ~followers)
    plans: list[tuple[Index, bool]] = []
    for pool, paired in ((leaders, True), (alone, False)):
        size = batch // 2 if paired else batch
        shuffled = order.permutation(pool)
        for start in range(0, len(shuffled) - size + 1, size):
            chosen = shuffled[start : start + size]
            plans.append((np.concatenate([chosen, films.partners[chosen]]) if paired else chosen, paired))
    for place in order.permutation(len(plans)):
        yield plans[place]


def share_of(index: Index, rank: int, size: int, *, paired: bool) -> Index:
    """The part of a batch that one of several processes learns from; partners stay together.

    Args:
        index: Of the whole batch.
        rank: Of the process, from 0.
        size: How many processes there are; for pairs the half batch is shared.
        paired: Whether the halves of the batch are matched.
    """
    if size == 1:
        return index
    halves = np.split(index, 2) if paired else [index]
    return np.concatenate([half[rank::size] for half in halves])


def steps_per_epoch(films: Films, batch: int) -> int:
    """How many batches `epoch_batches` yields."""
    return sum(1 for _ in epoch_batches(films, batch, 0, 0))
