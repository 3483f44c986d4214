"""What several models made of an input, written where each model's run keeps its record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from medcam.service.annotate.deliveries import Deliveries
from medcam.service.annotate.outcomes import Outcome, Quarantined
from medcam.service.annotate.quarantine import QuarantineLog
from medcam.service.annotate.tally import Progress, Tally


@dataclass(frozen=True, eq=False)
class ModelRun:
    """Where it is written what became of each input by one model.

    Args:
        name: The folder of its results in the run's.
        tally: Its counts.
        sending: What of it goes to a destination.
    """

    name: str
    tally: Tally = field(repr=False)
    sending: Deliveries = field(repr=False)

    def settle(self, outcome: Outcome) -> None:
        """Takes an outcome in."""
        self.tally.add(outcome)
        self.sending.add(outcome)


@dataclass(frozen=True, eq=False)
class Settling:
    """Tells every model's run what became of an input, and the run's own list of refused inputs.

    Args:
        runs: Of each model.
        common: The list of refused inputs of the whole run.
        progress: Called after each input.
        total: Inputs in all.
    """

    runs: Sequence[ModelRun]
    common: QuarantineLog
    progress: Callable[[Progress], None]
    total: int

    def __call__(self, outcome: Outcome, ends: Mapping[int, Outcome]) -> None:
        """Settles an input.

        Args:
            outcome: What became of it for the run as a whole.
            ends: What became of it by a model, by the model's place; where there is nothing, the outcome is the same.
        """
        refusals: dict[Quarantined, list[str]] = {}
        for place, run in enumerate(self.runs):
            end = ends.get(place, outcome)
            run.settle(end)
            if isinstance(end, Quarantined):
                refusals.setdefault(end, []).append(run.name)
        for refused, folders in refusals.items():
            by = f" (by {', '.join(folders)})" if len(folders) < len(self.runs) else ""
            self.common.add(refused.source, refused.code, f"{refused.message}{by}", refused.next_step)
        slowest = min((run.tally.counts for run in self.runs), key=lambda counts: counts.total)
        self.progress(Progress(self.total, slowest, outcome))
