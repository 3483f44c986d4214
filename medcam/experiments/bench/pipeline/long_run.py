"""One run of `medcam annotate` in a process of its own, told film by film: seconds and memory.

python -m medcam.experiments.bench.pipeline.long_run FILMS OUT MODEL WORKERS
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from medcam.core.errors import MedcamError
from medcam.experiments.bench.process import resident_mib
from medcam.service.annotate.options import AnnotateOptions, Output
from medcam.service.annotate.run import annotate, load_classifier
from medcam.service.annotate.tally import Progress


@dataclass(frozen=True, slots=True)
class LongRun:
    """What was seen of a run.

    Args:
        seconds: Since the run began, whenever a film was finished.
        memory: Resident memory of the run's process in MiB then; empty where the system does not tell it.
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
        """How far memory comes to lie above that at a tenth of the run, as a share of it; nan where not known.

        Compared are medians of tenths of the run: the second, from 10 % on, with the highest of those behind it.
        """
        tenths = [part for part in np.array_split(np.asarray(self.memory), 10) if part.size]
        if len(tenths) < 10:
            return float("nan")
        medians = [float(np.median(part)) for part in tenths[1:]]
        return max(medians) / medians[0] - 1.0


def long_run(films: Sequence[Path], model: str, workers: int) -> LongRun:
    """Annotates films with `explanation.json` alone, in a process that does nothing else.

    Args:
        films: The files.
        model: Name or folder.
        workers: Of the run.

    Raises:
        MedcamError: The run fails (code `bench-run`).
    """
    with tempfile.TemporaryDirectory(prefix="medcam-bench-") as name:
        listing = Path(name) / "films.json"
        listing.write_text(json.dumps([str(path) for path in films]), encoding="utf-8")
        words = ["-m", __spec__.name, str(listing), str(Path(name) / "out"), model, str(workers)]
        done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)  # noqa: S603  our own
    if done.returncode:
        why = done.stderr.strip().splitlines()
        raise MedcamError(
            f"the long run ended with {done.returncode}: {why[-1] if why else 'no word'}",
            code="bench-run",
            next_step="Run `medcam annotate` on phantoms with this model and see why.",
        )
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return LongRun(tuple(told["seconds"]), tuple(told["memory"]))


def record(films: Sequence[Path], out: Path, model: str, workers: int) -> LongRun:
    """Annotates films in this process and tells what is seen."""
    options = AnnotateOptions(model=model, outputs=(Output.JSON,), workers=workers)
    classifier = load_classifier(options)
    seconds: list[float] = []
    memory: list[float] = []
    began = time.perf_counter()

    def note(_: Progress) -> None:
        seconds.append(time.perf_counter() - began)
        resident = resident_mib(os.getpid())
        if resident is not None:
            memory.append(resident)

    annotate(list(films), out, options, note, classifier=classifier)
    return LongRun(tuple(seconds), tuple(memory))


def main(arguments: Sequence[str]) -> None:
    """Writes what `record` sees to standard output, as one line of JSON."""
    listing, out, model, workers = arguments
    films = [Path(path) for path in json.loads(Path(listing).read_text(encoding="utf-8"))]
    seen = record(films, Path(out), model, int(workers))
    sys.stdout.write(json.dumps({"seconds": seen.seconds, "memory": seen.memory}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
