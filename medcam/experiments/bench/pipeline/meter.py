"""Tells what each stage of the pipeline costs, by running the pipeline's own stages one film after another."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from medcam.core.arrays import FloatArray
from medcam.core.card import ModelCard
from medcam.core.errors import MedcamError
from medcam.core.explanation import Engine
from medcam.core.prediction import Prediction
from medcam.core.protocols import ModelInput, OnEngine
from medcam.core.radiograph import Radiograph
from medcam.dicom import SourceContext
from medcam.dicom.sandbox.pool import ReaderPool
from medcam.experiments.bench.process import family_seconds
from medcam.models.loaded import LoadedModel
from medcam.service.annotate.inputs import InputFile
from medcam.service.annotate.options import AnnotateOptions
from medcam.service.annotate.outcomes import Annotated, Outcome
from medcam.service.annotate.run import BATCH, request_of
from medcam.service.annotate.stages import Prepared, Stages

OPEN, DECODE, INPUT, ANATOMY, ENGINE, MAPS, WRITE = (
    "read and open",
    "decode",
    "model input",
    "anatomy, pictures to draw on",
    "engine",
    "maps and gate",
    "regions, ledgers, writing",
)
STAGES = (OPEN, DECODE, INPUT, ANATOMY, ENGINE, MAPS, WRITE)
"""In the order of the pipeline; they share out all that a film costs."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of one film.

    Args:
        processor: Of all cores together, the processes that read included.
        wall: By the clock.
    """

    processor: float = 0.0
    wall: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.processor + other.processor, self.wall + other.wall)

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.processor - other.processor, self.wall - other.wall)

    def over(self, films: int) -> Cost:
        """Of one film, where this is of several."""
        return Cost(self.processor / films, self.wall / films)


class Meter:
    """Adds up what is spent under a name.

    Args:
        helpers: Process ids of other processes whose time counts, with that of their children that have ended.
    """

    def __init__(self, helpers: Sequence[int] = ()) -> None:
        self._helpers = helpers
        self.spent: defaultdict[str, Cost] = defaultdict(Cost)

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Counts what is spent in its block."""
        before = self._now()
        yield
        self.spent[name] += self._now() - before

    def _now(self) -> Cost:
        helpers = sum(family_seconds(process) or 0.0 for process in self._helpers)
        return Cost(time.process_time() + helpers, time.perf_counter())


@dataclass(frozen=True, eq=False)
class MeteredReaders:
    """Readers whose costs are told; see `Readers`."""

    readers: ReaderPool
    meter: Meter

    def open(self, data: bytes, name: str) -> SourceContext:
        """As `ReaderPool.open`."""
        return self.readers.open(data, name)

    def radiograph(self, data: bytes, name: str) -> Radiograph:
        """As `ReaderPool.radiograph`."""
        with self.meter.of(DECODE):
            return self.readers.radiograph(data, name)


@dataclass(frozen=True, eq=False)
class MeteredClassifier:
    """A model whose costs are told; see `Classifier` and `OnEngine`."""

    model: LoadedModel
    meter: Meter

    @property
    def card(self) -> ModelCard:
        """As of the model."""
        return self.model.card

    @property
    def engine(self) -> Engine:
        """As of the model."""
        return self.model.engine

    @property
    def engine_warnings(self) -> tuple[str, ...]:
        """As of the model."""
        return self.model.engine_warnings

    @property
    def engine_notes(self) -> tuple[str, ...]:
        """As of the model."""
        return self.model.engine_notes

    def prepare(self, radiograph: Radiograph) -> ModelInput:
        """As of the model."""
        with self.meter.of(INPUT):
            return self.model.prepare(radiograph)

    def predict(self, inputs: FloatArray) -> Prediction:
        """As of the model."""
        with self.meter.of(ENGINE):
            return self.model.predict(inputs)

    def out_of_distribution(self, inputs: FloatArray, prediction: Prediction) -> FloatArray | None:
        """As of the model."""
        return self.model.out_of_distribution(inputs, prediction)


def stage_costs(
    films: Sequence[Path], out: Path, model: LoadedModel, options: AnnotateOptions, readers: ReaderPool
) -> dict[str, Cost]:
    """What each stage costs for one film, when nothing else runs beside it.

    Args:
        films: What is annotated, one after another; the model is asked in batches of the pipeline's size.
        out: Where results go.
        model: The model, loaded.
        options: What is written.
        readers: With one template process alone.

    Returns:
        By the names of `STAGES`.

    Raises:
        MedcamError: A film is not annotated (code `bench-film`): its costs would be no one's.
    """
    meter = Meter(readers.pids)
    classifier = MeteredClassifier(model, meter)
    assert isinstance(classifier, OnEngine)
    stages = Stages(out, classifier, request_of(classifier, options), MeteredReaders(readers, meter))
    with threadpool_limits(1, user_api="blas"):  # as in a run
        for first in range(0, len(films), BATCH):
            _run_batch(stages, meter, films[first : first + BATCH])
    spent = meter.spent
    found = {
        OPEN: spent[OPEN],
        DECODE: spent[DECODE],
        INPUT: spent[INPUT],
        ANATOMY: spent["prepare"] - spent[DECODE] - spent[INPUT],
        ENGINE: spent[ENGINE],
        MAPS: spent["ask"] - spent[ENGINE],
        WRITE: spent[WRITE],
    }
    return {name: cost.over(len(films)) for name, cost in found.items()}


def _run_batch(stages: Stages, meter: Meter, films: Sequence[Path]) -> None:
    prepared: list[Prepared] = []
    for path in films:
        with meter.of(OPEN):
            opened = stages.open(InputFile(path, path.name))
        with meter.of("prepare"):
            film = stages.prepare(opened)
        prepared.append(_going_on(film))
    with meter.of("ask"):
        answered = stages.ask(prepared)
    for one in answered:
        if isinstance(one, Outcome):
            raise _not_annotated(one)
        with meter.of(WRITE):
            outcome = stages.write(one)
        if not isinstance(outcome, Annotated):
            raise _not_annotated(outcome)


def _going_on(film: Prepared | Outcome) -> Prepared:
    if isinstance(film, Prepared):
        return film
    raise _not_annotated(film)


def _not_annotated(outcome: Outcome) -> MedcamError:
    return MedcamError(
        f"a film that is measured is not annotated: {outcome}",
        code="bench-film",
        next_step="Run `medcam annotate` on phantoms of this size with this model and see why.",
    )
