"""How the pipeline is measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from medcam.core.errors import UsageError
from medcam.experiments.bench.pipeline.films import CODECS
from medcam.service.annotate.options import default_workers

FEWEST = 10


@dataclass(frozen=True, slots=True)
class PipelineSettings:
    """How the pipeline is measured; by default in some 50 minutes on two cores.

    Args:
        films: Files of the long run that memory and the time per file are watched over; 0 for no such run.
        side: Of the films in pixels.
        rendered: Phantoms that are drawn; the others are these with UIDs of their own. A multiple of the codecs.
        rounds: How often stages, engine and runs are measured in turns.
        round_films: Files of a run in a round; a multiple of the codecs.
        stage_films: Files that the stages are measured on, one after another, in a round; the same.
        engine_seconds: How long the bare engine runs in a round.
        model: Name or folder.
        workers: Threads of a run that read, prepare and write.
        report: Told what is being done.
    """

    films: int = 10_000
    side: int = 2048
    rendered: int = 48
    rounds: int = 4
    round_films: int = 48
    stage_films: int = 16
    engine_seconds: float = 5.0
    model: str = "phantom"
    workers: int = field(default_factory=default_workers)
    report: Callable[[str], None] = field(default=lambda _: None, repr=False, compare=False)

    def __post_init__(self) -> None:
        counts = (self.rendered, self.round_films, self.stage_films)
        if min(counts) < 1 or any(count % CODECS for count in counts):
            raise UsageError(f"films to measure come in multiples of the {CODECS} codecs, so that each weighs the same")
        if 0 < self.films < max(FEWEST, *counts) or self.films < 0:
            raise UsageError(f"a long run has {FEWEST} films at least, and no fewer than a round")
        if self.rounds < 1 or self.workers < 1 or self.engine_seconds <= 0.0:
            raise UsageError("there must be one round, one worker and some time for the engine")

    @property
    def counts(self) -> tuple[int, ...]:
        """Numbers of files that the time per file is told at: 10, 100, ... and all; none without a long run."""
        if not self.films:
            return ()
        tens = tuple(10**power for power in range(1, 8) if 10**power < self.films)
        return (*tens, self.films)


def quick_settings(report: Callable[[str], None] = lambda _: None) -> PipelineSettings:
    """Settings of `--quick`: films of the same size, fewer of them, in about two minutes on two cores."""
    return PipelineSettings(
        films=60, rendered=12, rounds=1, round_films=24, stage_films=8, engine_seconds=3.0, report=report
    )
