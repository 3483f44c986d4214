"""The rule of the verdicts, one for all: how large an effect must be, how sure, and what its size is called.

    excess    of a place's erasing over its control, in standard deviations of the finding's logit; 0 on a film without
              the place
    effect    two are judged (see `Basis`). The mean excess on the films with the place: how far the model leans on it.
              And with labels the mean excess on films with the finding less that on films without: how much of what
              sets the two apart passes through the place. The first is diluted by things of the same kind that the
              model passes over; the second says nothing where a thing that the model leans on betrays nothing here
    told      the effect is beyond the smallest that counts, by a one-sided t-test over patients against that size
    q         p by Benjamini and Hochberg over all tests of the record
    verdict   q within the limit, and the erasing's own change as large and of the same sign

Of a place that most films have (border, outside the body, often markers) a mean excess sets hardly any films apart, and
is not judged. Without labels films that the model calls present are compared with films that it calls absent instead.
Calls are made of the logit that the place is part of, so that some difference between them comes by selection alone.

An association is told where its q is within the limit and its standardised difference reaches the smallest that counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from medcam.core.errors import InvalidValueError


class Severity(StrEnum):
    """How much of a shortcut there is."""

    UNKNOWN = "too few films"
    NONE = "none"
    LOW = "low"
    MODERATE = "moderate"
    HIGH = "high"


class Basis(StrEnum):
    """What an effect is the mean of."""

    PLACE = "films with the place"
    LABEL = "films with the finding against those without"
    CALL = "films called present against those called absent"


@dataclass(frozen=True, slots=True)
class ShortcutRule:
    """Thresholds of the verdicts.

    Args:
        smallest: Smallest effect that counts, in standard deviations; Cohen (1988) calls 0.2 small and 0.5 medium.
        moderate: From which effect on it is moderate.
        high: From which effect on it is high (0.8 there is large).
        false_discoveries: Largest q: the share of false ones among what is told (Benjamini and Hochberg 1995).
        fewest: Fewer patients than this are not judged: on either side of what is compared.
        everywhere: Share of the films from which on a place counts as one that most have.
    """

    smallest: float = 0.3
    moderate: float = 0.5
    high: float = 0.8
    false_discoveries: float = 0.05
    fewest: int = 10
    everywhere: float = 0.5

    def __post_init__(self) -> None:
        if not 0.0 <= self.smallest <= self.moderate <= self.high:
            raise InvalidValueError("the sizes of an effect must not fall from smallest to high")
        if not 0.0 < self.false_discoveries < 1.0 or self.fewest < 3:
            raise InvalidValueError("a rule needs a share of false discoveries between 0 and 1, and three patients")

    def size(self, effect: float) -> Severity:
        """What an effect of this size is called, whatever its sign; "none" below the smallest."""
        for limit, name in ((self.high, Severity.HIGH), (self.moderate, Severity.MODERATE)):
            if abs(effect) >= limit:
                return name
        return Severity.LOW if abs(effect) >= self.smallest else Severity.NONE

    @property
    def words(self) -> str:
        """The rule for people."""
        return (
            f"erasing: told where the excess over the control is beyond {self.smallest:g} standard deviations of the "
            f"logit, by a one-sided t-test over patients with q <= {self.false_discoveries:g} (Benjamini-Hochberg over "
            f"all tests), and the place's own change is as large and of the same sign; two excesses are tested, the "
            f"mean on films with the place, unless {self.everywhere:.0%} of the films or more have it, and the "
            f"difference between films with and without the finding by label, or of a place on so many films and "
            f"without labels by the model's call; association: "
            f"told where q <= {self.false_discoveries:g} and the standardised difference is {self.smallest:g} or more; "
            f"low from {self.smallest:g}, moderate from {self.moderate:g}, high from {self.high:g}; fewer than "
            f"{self.fewest} patients are not judged"
        )


RULE = ShortcutRule()
"""Fixed in advance; see `docs/experiments/shortcuts.md` for what it catches and what it does not."""
