"""How large a load test is."""

from __future__ import annotations

from dataclasses import dataclass, replace

from medcam.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class BenchPlan:
    """The size of a load test.

    Args:
        readers: How many read at once.
        studies: In the store.
        openable: How many of them have a film.
        think: Mean seconds that a reader thinks before each act, exponentially distributed, in the first part.
        seconds: How long the first part takes.
        reruns: How many the second part makes, in which nobody thinks.
        repeats: How often each question is asked of the worklist.
        seed: Of what readers do.
    """

    readers: int = 30
    studies: int = 100_000
    openable: int = 400
    think: float = 5.0
    seconds: float = 240.0
    reruns: int = 20_000
    repeats: int = 40
    seed: int = 0

    def __post_init__(self) -> None:
        if self.readers < 1 or self.reruns < 1 or self.repeats < 1:
            raise UsageError("a load test needs a reader, a rerun and a question at least")
        if not 0 < self.openable <= self.studies:
            raise UsageError("the studies that can be opened are some of those that there are")

    def quicker(self) -> BenchPlan:
        """For a first look: the same store, less of everything else."""
        return replace(self, seconds=40.0, reruns=1000, repeats=10, openable=100)
