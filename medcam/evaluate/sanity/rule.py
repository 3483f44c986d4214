"""When a method passes a sanity test: thresholds come from maps of unrelated films, not from taste.

The null is the mean similarity of maps of pairs of unrelated films by the trained model, as in Arun et al. (2021,
figure 3), who ask that a map of randomised weights fall below it. A map that is wholly lost is as alike as unrelated
ones are, so that no interval can be asked to lie below the null itself: a tenth of the way to 1 is granted. Where a map
must stay, they hold it against other networks' segmentations, which do not exist for every model; here the threshold is
half the way from the null to 1: a map has to keep at least half of what tells it from an unrelated film's.

Two models of one kind that differ in seed are what Arun et al. call repeatability: instances from other random starts,
trained to convergence, compared by SSIM. They take for granted that both classify about alike. Where two models answer
differently, maps that differ are right to differ, and say nothing of the method; so the test counts only where the
models' logits go together.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt

from medcam.core.errors import InvalidValueError
from medcam.evaluate.agreement_figure import Figure
from medcam.evaluate.sanity.record import Verdict
from medcam.evaluate.sanity.similarity import MEASURES

LOSE, KEEP = "lose", "keep"
DECIDES = "spearman"
"""The verdict rests on ranks: they ask for no scale, and maps of different methods have none in common."""
GRANTED, KEPT = 0.1, 0.5
"""Shares of the way from the null to 1: what a lost map may still have, and what a kept one must."""
ALIKE = 0.5
"""Least correlation of two models' logits for their maps to be held against each other."""
PAIRS = 50
"""Most pairs of unrelated films, as many as Arun et al. drew."""
RULE = (
    "by Spearman correlation, its 95 % interval over patients: where a map must be lost (randomisation) it has to lie "
    "below a tenth of the way from the mean of unrelated films' maps (Arun et al. 2021, fig. 3) to 1; where it must be "
    "kept, above half of that way; an interval that holds the threshold decides nothing; two models count where their "
    "logits, each finding's mean taken off, correlate by 0.5 or more over these films"
)


def unrelated_similarity(maps: npt.ArrayLike, measure: str, seed: int = 0) -> float:
    """Mean similarity over at most `PAIRS` random pairs of maps [n, h, w] of unrelated films.

    Raises:
        InvalidValueError: There are fewer than two maps.
    """
    values = np.asarray(maps)
    if values.ndim != 3 or len(values) < 2:
        raise InvalidValueError("unrelated films are at least two")
    pairs = list(combinations(range(len(values)), 2))
    chosen = np.random.default_rng(seed).permutation(len(pairs))[:PAIRS]
    return float(np.mean([MEASURES[measure](values[pairs[one][0]], values[pairs[one][1]]) for one in chosen]))


def threshold(must: str, unrelated: float) -> float:
    """That the similarity is held against; `must` is "lose" or "keep"."""
    return unrelated + (GRANTED if must == LOSE else KEPT) * (1.0 - unrelated)


def answers_alike(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Pearson correlation of two models' logits [films, findings], each finding's mean taken off; 0 where one is flat.

    Raises:
        InvalidValueError: The two are not of the same films and findings.
    """
    one, other = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if one.ndim != 2 or one.shape != other.shape or len(one) < 2:
        raise InvalidValueError("answers are compared over the same films, at least two, and findings")
    one, other = one - one.mean(axis=0), other - other.mean(axis=0)
    size = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum() / size) if size > 0.0 else 0.0


def verdict(must: str, similarity: Figure, limit: float) -> Verdict:
    """Of one row.

    A figure whose draws all agree has an interval of no width: the value itself is held against the limit.
    """
    if similarity.value is None:
        return Verdict.UNDECIDED
    low, high = similarity.low, similarity.high
    if low is None or high is None:
        if similarity.doubt is None or similarity.doubt.value != "no-spread":
            return Verdict.UNDECIDED
        low = high = similarity.value
    below, above = high < limit, low > limit
    if not (below or above):
        return Verdict.UNDECIDED
    return Verdict.PASSED if below == (must == LOSE) else Verdict.FAILED
