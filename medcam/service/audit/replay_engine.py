"""The engine of a replay: the one that is on record, or torch in fp32 with the error budget as what may differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from medcam.core.errors import UsageError
from medcam.core.protocols import Classifier
from medcam.models.engines.budget import BUDGET
from medcam.models.engines.choose import with_engine
from medcam.models.loaded import LoadedModel

TOLERANCE = 1e-4
"""Largest difference of two numbers that counts as none: what other processors and thread counts make of fp32 sums.
In logit units for logits, in shares of a map's largest value where that is above 1, in pixels for regions relative to
the film's side."""


@dataclass(frozen=True, eq=False)
class ReplayEngine:
    """What computes a replay, and how far it may be from what was kept.

    Args:
        classifier: The model, on its engine.
        recorded: Whether it is the engine on record.
        words: Which one it is.
    """

    classifier: Classifier = field(repr=False)
    recorded: bool
    words: str

    def allowance(self, path: str, peak: float) -> float:
        """Largest difference of two numbers that counts as none.

        Args:
            path: Where they stand, such as "findings[0].map.values[3]".
            peak: The largest value of the finding's map, without its sign.
        """
        in_map = ".map.values" in path
        if not self.recorded:
            return max(BUDGET.logit, BUDGET.map * peak) if in_map else BUDGET.logit
        return TOLERANCE * max(1.0, peak) if in_map else TOLERANCE

    def compared(self, path: str) -> bool:
        """Whether a place is compared: regions have edges that a budget on maps does not bind."""
        names = path.replace("[", ".").split(".")
        return self.recorded or not ({"engine", "regions", "warnings"} & set(names))


def replay_engine(classifier: Classifier, record: Mapping[str, Any]) -> ReplayEngine:
    """Puts a model on the engine that is on record, where this machine has it and it still keeps to the budget.

    Args:
        classifier: The model, loaded.
        record: `engine` of the explanation.
    """
    name, precision = str(record.get("name", "torch")), str(record.get("precision", "fp32"))
    words = f"{name} {precision}"
    plain = (name, precision) == ("torch", "fp32") and not record.get("max_logit_error")
    if plain or not isinstance(classifier, LoadedModel):
        return ReplayEngine(classifier, recorded=True, words=words)
    try:
        there = with_engine(classifier, f"{name}:{precision}")
    except UsageError:
        there = with_engine(classifier, None)
    if (there.engine.name, there.engine.precision) == (name, precision):
        return ReplayEngine(there, recorded=True, words=words)
    reference = with_engine(classifier, None)
    return ReplayEngine(reference, recorded=False, words=f"torch fp32 within the error budget of {words}")
