"""One run of `medcam annotate` in a process of its own, told film by film: seconds and memory.

python -m medcam.experiments.bench.pipeline.long_run FILMS OUT MODEL WORKERS
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medcam.core.errors import MedcamError
from medcam.experiments.bench.pipeline.feed import FilmFeed
from medcam.experiments.bench.pipeline.films import CODECS
from medcam.experiments.bench.process import family_mib
from medcam.experiments.bench.statistics import Estimate, slope
from medcam.service.annotate.options import AnnotateOptions, Output
from medcam.service.annotate.run import annotate, load_classifier
from medcam.service.annotate.tally import Progress

_FIRST = 0.1
"""Share of a run that what comes after is set beside."""
_STRETCHES = 100
_FEWEST_STRETCHES = 20
_FEWEST_OF_TENTH = 5


@dataclass(frozen=True, slots=True)
class LongRun:
    """What was seen of a run.

    Args:
        seconds: Since the run began, whenever a film was finished.
        memory: Resident memory of the run's process and of those that it started, in MiB, then; empty where the system
            does not tell it.
    """

    seconds: tuple[float, ...]
    memory: tuple[float, ...]

    def seconds_per_file(self, count: int) -> float:
        """Mean seconds of the first `count` files, what the run takes to get going included."""
        return self.seconds[count - 1] / count

    def memory_at(self, count: int) -> float:
        """Median MiB over the last tenth of the first `count` files; nan where it is not known."""
        window = self.memory[max(0, count - max(1, count // 10)) : count]
        return float(np.median(window)) if window else float("nan")

    @property
    def growth(self) -> float:
        """How far memory comes to lie above that at a tenth of the run, as a share of it.

        nan where it is not known, or where a tenth of the run is too few films to tell.

        Compared are medians of tenths of the run: the second, from 10 % on, with the highest of those behind it.
        """
        if len(self.memory) < 10 * _FEWEST_OF_TENTH:
            return float("nan")
        medians = [float(np.median(part)) for part in np.array_split(np.asarray(self.memory), 10)[1:]]
        return max(medians) / medians[0] - 1.0

    @property
    def slowing(self) -> Estimate:
        """By how much the time per file changes from 10 % of the run to its end, as a share of its mean in between.

        By a straight line through the times of stretches of the run, a hundredth each, whole mixes of codecs all of
        them; nan where there are too few.
        """
        length = CODECS * max(1, len(self.seconds) // _STRETCHES // CODECS)
        first = CODECS * math.ceil(_FIRST * len(self.seconds) / CODECS)
        ends = np.array((0.0, *self.seconds))[first::length]
        times = np.diff(ends) / length
        if times.size < _FEWEST_STRETCHES:
            return Estimate(math.nan, math.nan, math.nan, 0)
        line = slope(list(range(times.size)), [float(time) for time in times])
        share = times.size / float(times.mean())
        return Estimate(line.value * share, line.low * share, line.high * share, line.n)


def long_run(films: FilmFeed, model: str, workers: int) -> LongRun:
    """Annotates films with `explanation.json` alone, in a process that does nothing else.

    This process makes the films meanwhile, which takes the cores some hundredth of what the run does.

    Args:
        films: The files.
        model: Name or folder.
        workers: Of the run.

    Raises:
        MedcamError: The run fails (code `bench-run`).
    """
    seconds: list[float] = []
    memory: list[float] = []
    with tempfile.TemporaryDirectory(prefix="medcam-bench-") as name, tempfile.TemporaryFile("w+") as errors:
        listing = Path(name) / "films.json"
        listing.write_text(json.dumps([str(path) for path in films.paths]), encoding="utf-8")
        words = [sys.executable, "-m", __spec__.name, str(listing), str(Path(name) / "out"), model, str(workers)]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=errors, text=True) as run:  # noqa: S603  our own
            try:
                for line in run.stdout or ():
                    second, resident = map(float, line.split())
                    seconds.append(second)
                    memory += [resident] * math.isfinite(resident)
                    films.finished(len(seconds))
            except BaseException:
                run.kill()
                raise
        errors.seek(0)
        why = errors.read().strip().splitlines()
    if run.returncode:
        raise MedcamError(
            f"the long run ended with {run.returncode}: {why[-1] if why else 'no word'}",
            code="bench-run",
            next_step="Run `medcam annotate` on phantoms with this model and see why.",
        )
    return LongRun(tuple(seconds), tuple(memory))


def follow(films: Sequence[Path], out: Path, model: str, workers: int, tell: Callable[[float, float], None]) -> None:
    """Annotates films in this process.

    Args:
        films: The files.
        out: Where results go.
        model: Name or folder.
        workers: Of the run.
        tell: Told, whenever a film is finished, seconds since the run began and resident memory in MiB, nan where the
            system does not tell it.

    Raises:
        MedcamError: The run fails, or a film is not annotated (code `bench-film`).
    """
    options = AnnotateOptions(model=model, outputs=(Output.JSON,), workers=workers)
    classifier = load_classifier(options)
    began = time.perf_counter()

    def note(_: Progress) -> None:
        resident = family_mib(os.getpid())
        tell(time.perf_counter() - began, math.nan if resident is None else resident)

    annotated = annotate(list(films), out, options, note, classifier=classifier).counts.annotated
    if annotated != len(films):
        raise MedcamError(
            f"{len(films)} films were to be annotated, and {annotated} were",
            code="bench-film",
            next_step="Run `medcam annotate` on phantoms of this size with this model and see why.",
        )


def main(arguments: Sequence[str]) -> None:
    """Writes what `follow` tells to standard output, a line for each film."""
    listing, out, model, workers = arguments
    films = [Path(path) for path in json.loads(Path(listing).read_text(encoding="utf-8"))]

    def tell(seconds: float, resident: float) -> None:
        sys.stdout.write(f"{seconds:.6f} {resident:.3f}\n")
        sys.stdout.flush()

    follow(films, Path(out), model, int(workers), tell)


if __name__ == "__main__":
    main(sys.argv[1:])
