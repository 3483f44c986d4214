"""The chain of a run: what is pulled through open, admit, prepare, ask and write, on one machine or on one of many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Protocol, TypeVar

from medcam.service.annotate.bounded import batches, bounded_map, threads
from medcam.service.annotate.inputs import Input
from medcam.service.annotate.outcomes import Outcome
from medcam.service.annotate.stages import Opened, UnderWay, guarded
from medcam.service.workers import films_side_by_side

T = TypeVar("T")
P = TypeVar("P")
A = TypeVar("A", bound=UnderWay)
Settle = Callable[[Outcome], None]


class ChainStages(Protocol[P, A]):
    """What is done to a film, prepared as `P` and answered as `A`. See `medcam.service.annotate.stages.Stages`."""

    def open(self, file: Input, /) -> Opened:
        """Finds out what a file is."""
        ...

    def prepare(self, opened: Opened, /) -> P | Outcome:
        """Makes all that needs its full pixels."""
        ...

    def ask(self, films: list[P], /) -> list[A | Outcome]:
        """Asks the model about a batch."""
        ...

    def write(self, answered: A, /) -> Outcome:
        """Writes what is said of a film."""
        ...


class Admits(Protocol):
    """Decides which opened files go on."""

    def admit(self, files: Iterable[Opened], /) -> Iterator[Opened | Outcome]:
        """Yields files to go on with and outcomes of those that do not."""
        ...


@dataclass(frozen=True, eq=False)
class ChainThreads:
    """The threads of a chain.

    Args:
        films: They read, prepare and write.
        model: The one that asks the model.
        ahead: Films that may be under way in each stage.
        batch: Films that the model is asked about at a time; fewer at the end alone.
    """

    films: Executor
    model: Executor
    ahead: int
    batch: int


@contextmanager
def chain_threads(workers: int, batch: int) -> Iterator[ChainThreads]:
    """The threads of a chain of so many workers; linear algebra is kept from starting threads of its own.

    With one worker and batches of one, one film alone is under way at a time.

    Films are what is shared out among the cores: linear algebra that spins up threads for every film made 12 films
    take 36 s instead of 9 on two busy cores.
    """
    with (
        films_side_by_side(),
        threads(workers, "medcam-film") as films,
        threads(1, "medcam-model") as model,
    ):
        yield ChainThreads(films, model, workers + batch // 2, batch)


def run_chain(
    files: Iterable[Input], stages: ChainStages[P, A], admission: Admits, settle: Settle, threads: ChainThreads
) -> None:
    """Pulls files through all stages, in order.

    Args:
        files: Taken as there is room for them.
        stages: What is done to each.
        admission: Which go on once they are opened.
        settle: Called in this thread with what became of each; not of files that the admission keeps back.
        threads: Where it is done.

    Raises:
        OutputError: The output folder refuses.
        StoreError: The store does.
    """
    opened = _going_on(bounded_map(threads.films, guarded(stages.open), files, threads.ahead), settle)
    admitted = _going_on(admission.admit(opened), settle)
    prepared = _going_on(bounded_map(threads.films, guarded(stages.prepare), admitted, threads.ahead), settle)
    grouped = batches(prepared, threads.batch)
    answered = _going_on(
        chain.from_iterable(bounded_map(threads.model, stages.ask, grouped, min(2, threads.ahead))), settle
    )
    for outcome in bounded_map(threads.films, guarded(stages.write), answered, threads.ahead):
        settle(outcome)


def _going_on(results: Iterable[T | Outcome], settle: Settle) -> Iterator[T]:
    """Yields what goes on to the next stage and settles the rest."""
    for result in results:
        if isinstance(result, Outcome):
            settle(result)
        else:
            yield result
