"""Whether a peer's maps are right: beside the exact maps of the same network, worked out in double precision."""

from __future__ import annotations

import gc
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from medcam.experiments.bench.peers.peer import LAYER, LINEAR, Peer, hooks_on
from medcam.experiments.bench.peers.subject import Subject

RIGHT = 0.99
"""Correlation with the exact map from which on a map counts as right."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a peer's maps are like.

    Args:
        correlation: Median correlation of a map as documented with the exact one, over cells or pixels; where the
            method drops what is negative, with what the exact map has that is positive. nan where all maps are empty.
        least: The smallest.
        maps: How many films times findings.
        empty: How many of the maps as documented are the same everywhere, and so show nothing.
        against: Whether the rawest map shows evidence against a finding.
        sum_error: Largest difference between a logit and what its rawest map adds up to: its mean or sum, with or
            without the bias, whichever comes closest over all.
        right: Of films in a batch whose finding is named once, how many maps are right; None where the call fails.
        films: In that batch.
        hooks: On the network after the peer was closed and forgotten.
    """

    correlation: float
    least: float
    maps: int
    empty: int
    against: bool
    sum_error: float
    right: int | None
    films: int
    hooks: int

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON; without what is None."""
        return {name: value for name, value in asdict(self).items() if value is not None}


Exact = tuple[Tensor, Tensor]
"""From `exact_maps`."""


def checked(peer: Peer, subject: Subject, truth: Exact) -> Checked:
    """Compares a peer's maps with the exact ones.

    Args:
        peer: Which; whatever its library raises is raised.
        subject: A network on the processor and several films.
        truth: The subject's exact maps and logits.
    """
    exact, logits = truth
    wanted = exact.clamp(min=0.0) if peer.rectified else exact
    network = subject.twin()
    with peer.opened(network, subject.findings, documented=True) as maps:
        shown = maps(subject.films).detach().double()
    del maps
    gc.collect()
    left = hooks_on(network)
    with peer.opened(subject.twin(), subject.findings, documented=False) as maps:
        raw = maps(subject.films).detach().double()
    found, empty = _correlations(shown, wanted)
    return Checked(
        correlation=float(np.median(found)) if found else float("nan"),
        least=min(found, default=float("nan")),
        maps=len(found) + empty,
        empty=empty,
        against=bool((raw < 0).any()),
        sum_error=_sum_error(raw, logits, _linear(subject.network).bias.detach().double()),
        right=_right(peer, subject, wanted),
        films=len(subject.films),
        hooks=left,
    )


@torch.no_grad()
def exact_maps(subject: Subject) -> Exact:
    """Maps [n, findings, h, w] in logit units and logits [n, findings], float64 (Zhou et al. 2016, eq. 2)."""
    network, films = subject.twin().double(), subject.films.double()
    seen: list[Tensor] = []
    with network.get_submodule(LAYER).register_forward_hook(lambda _module, _given, made: seen.append(made.clone())):
        logits: Tensor = network(films)
    weight = _linear(network).weight
    return torch.einsum("ck,nkyx->ncyx", weight, seen[0]), logits


def _linear(network: nn.Module) -> nn.Linear:
    layer = network.get_submodule(LINEAR)
    assert isinstance(layer, nn.Linear)
    return layer


def _correlations(shown: Tensor, wanted: Tensor) -> tuple[list[float], int]:
    """Of each map with the exact one at the same size; how many maps are the same everywhere."""
    if shown.shape[2:] != wanted.shape[2:]:
        wanted = F.interpolate(wanted, size=shown.shape[2:], mode="bilinear", align_corners=False)
    found, empty = [], 0
    for one, other in zip(shown.flatten(0, 1).flatten(1), wanted.flatten(0, 1).flatten(1), strict=True):
        if float(one.max() - one.min()) <= 1e-12:
            empty += 1
            continue
        found.append(float(F.cosine_similarity(one - one.mean(), other - other.mean(), dim=0)))
    return found, empty


def _sum_error(raw: Tensor, logits: Tensor, bias: Tensor) -> float:
    means, sums = raw.mean(dim=(2, 3)), raw.sum(dim=(2, 3))
    return min(float((total - logits).abs().max()) for total in (means + bias, sums + bias, means, sums))


def _right(peer: Peer, subject: Subject, wanted: Tensor) -> int | None:
    """For the finding whose exact maps are emptiest least often."""
    finding = int((wanted.amax(dim=(2, 3)) - wanted.amin(dim=(2, 3))).amin(dim=0).argmax())
    try:
        shown = peer.by_one_target(subject.twin(), subject.films, finding).detach().double()[:, None]
    except (TypeError, ValueError, RuntimeError, IndexError):
        return None
    found, _ = _correlations(shown, wanted[:, finding : finding + 1])
    # Upside down is another fault, told beside it.
    return sum(abs(one) >= RIGHT for one in found)
