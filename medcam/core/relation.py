"""How a finding's logit follows from its map: what may be summed, and what may not."""

from __future__ import annotations

from enum import StrEnum


class Relation(StrEnum):
    """How a logit follows from the values of its map and its bias.

    Only the first two are ledgers: the cells' shares add up to the logit less the bias.
    """

    MEAN = "mean"
    """Global average pooling (Zhou et al. 2015): mean(map) + bias."""
    SUM = "sum"
    """Probabilistic-CAM pooling (Ye et al. 2020): sum(map) + bias, the cells having been weighted already."""
    MAXIMUM = "maximum"
    """Max pooling of the class map: max(map) + bias."""
    LOG_MEAN_EXP = "log-mean-exp"
    """Log-sum-exp pooling (Pinheiro and Collobert 2015): log(mean(exp(r * map))) / r + bias."""
    FEATURE_MAXIMA = "feature-maxima"
    """Global max pooling of the features: a linear function of the channels' maxima, not of the map."""
    UNSTATED = "unstated"
    """Nothing is known about it."""

    @property
    def ledger(self) -> bool:
        """Whether the map's cells add up to the logit less the bias."""
        return self in (Relation.MEAN, Relation.SUM)

    @property
    def words(self) -> str:
        """What the logit is, for messages."""
        return _WORDS[self]


_WORDS = {
    Relation.MEAN: "the mean of the map plus the bias",
    Relation.SUM: "the sum of the map plus the bias",
    Relation.MAXIMUM: "the map's maximum plus the bias, so that one cell decides and the others count nothing",
    Relation.LOG_MEAN_EXP: "a log-mean-exp of the map plus the bias, in which no cell has a share of its own",
    Relation.FEATURE_MAXIMA: "linear in the features' maxima, which lie in different cells, and no sum over the map",
    Relation.UNSTATED: "in no stated relation to the map",
}
