"""Keeps count of what became of the inputs of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from medcam.service.annotate.manifest import Counts
from medcam.service.annotate.outcomes import Annotated, Duplicate, Outcome, Quarantined, Skipped
from medcam.service.annotate.quarantine import QuarantineLog


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come.

    Args:
        total: Inputs in all.
        counts: Of those dealt with.
        last: What became of the last one.
    """

    total: int
    counts: Counts
    last: Outcome

    @property
    def done(self) -> int:
        """Inputs dealt with."""
        return self.counts.total


class Tally:
    """Collects outcomes; refused inputs go to the quarantine list at once.

    Args:
        total: Inputs in all.
        quarantine: The open list.
        progress: Called after each outcome.
    """

    def __init__(self, total: int, quarantine: QuarantineLog, progress: Callable[[Progress], None]) -> None:
        self._total, self._quarantine, self._progress = total, quarantine, progress
        self.annotated: list[Annotated] = []
        self.skipped: list[Skipped] = []
        self.duplicates: list[Duplicate] = []
        self.quarantined = 0

    def add(self, outcome: Outcome) -> None:
        """Takes an outcome in.

        Raises:
            OutputError: The quarantine list cannot be written.
        """
        match outcome:
            case Annotated():
                self.annotated.append(outcome)
            case Skipped():
                self.skipped.append(outcome)
            case Duplicate():
                self.duplicates.append(outcome)
            case Quarantined():
                self._quarantine.add(outcome.source, outcome.code, outcome.message, outcome.next_step)
                self.quarantined += 1
        self._progress(Progress(self._total, self.counts, outcome))

    @property
    def counts(self) -> Counts:
        """How many inputs ended how, so far."""
        return Counts(len(self.annotated), len(self.skipped), self.quarantined, len(self.duplicates))
