"""What the driver of a run does: has files opened, decides which are explained, and learns what became of each."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from medcam.service.annotate.admission import Admission
from medcam.service.annotate.inputs import Input
from medcam.service.annotate.instance_output import Request
from medcam.service.annotate.outcomes import Annotated, Outcome, Quarantined, overall
from medcam.service.cluster.blocks import PROCESS_LOST, MakesWork, Numbered, Pool, done_in_blocks
from medcam.service.cluster.found import Found
from medcam.service.cluster.rows import Record, ended, found_or_outcome, input_record

Sink = Callable[[Outcome, Mapping[int, Outcome]], None]
"""Told of each input what became of it, and what by each model."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job of a run: what its processes do, and how many there are.

    Args:
        make: Makes the work of each process.
        pool: The processes.
    """

    make: MakesWork
    pool: Pool


class Driver:
    """Decides what is done, in the inputs' order and by the very `Admission` of a run on one machine.

    Args:
        files: All inputs.
        opening: The job that opens files.
        explaining: The job that explains films.
        admission: Decides; whether a film is finished already is found out where it is opened.
        models: How many models explain each film.
        sink: Told what became of each input.
    """

    def __init__(
        self, files: Sequence[Input], opening: Job, explaining: Job, admission: Admission, models: int, sink: Sink
    ) -> None:
        self._files, self._opening, self._explaining = files, opening, explaining
        self._admission, self._models, self._sink = admission, models, sink
        self._numbers = {file.source: number for number, file in enumerate(files)}

    def run(self) -> None:
        """Settles every input once."""
        found = self._found()
        candidates = [found[number] for number in sorted(found)]
        while candidates:
            self._explain(found, self._admitted(candidates))
            # What shared its UID with a file that was still under way; each pass settles at least one per UID.
            candidates = [found[self._numbers[file.source]] for file in self._admission.take_contested()]

    def _found(self) -> dict[int, Found]:
        """Files that are DICOM images, by number; the others are settled."""
        found: dict[int, Found] = {}
        inputs = [(number, input_record(file)) for number, file in enumerate(self._files)]
        for number, record in done_in_blocks(inputs, self._opening.make, self._opening.pool):
            file = self._files[number]
            answer = _lost(file) if _is_lost(record) else found_or_outcome(record, file)
            if isinstance(answer, Found):
                found[number] = answer
            else:
                self._settle(answer)
        return found

    def _admitted(self, candidates: Sequence[Found]) -> list[Numbered]:
        """What is left to do; duplicates and finished films are settled."""
        admitted: list[Numbered] = []
        for decision in self._admission.admit(candidates):
            if not isinstance(decision, Found):
                self._settle(decision)
            elif decision.rival is None and len(decision.finished) == self._models:
                self._settle(overall(dict(decision.finished)), decision.finished)
            else:
                record = {**input_record(decision.file), "rival": decision.rival}
                admitted.append((self._numbers[decision.file.source], record))
        return admitted

    def _explain(self, found: Mapping[int, Found], admitted: Sequence[Numbered]) -> None:
        for number, record in done_in_blocks(admitted, self._explaining.make, self._explaining.pool):
            if _is_lost(record):
                self._settle(_lost(self._files[number]))
                continue
            outcome, ends = ended(record)
            # What an earlier run had finished is known to the driver alone: the process that explains finds it done.
            kept = {
                place: one for place, one in found[number].finished.items() if isinstance(ends.get(place), Annotated)
            }
            self._settle(outcome, {**ends, **kept})

    def _settle(self, outcome: Outcome, ends: Mapping[int, Outcome] | None = None) -> None:
        self._admission.settle(outcome)
        self._sink(outcome, ends or {})


def driver_admission(first: Request) -> Admission:
    """What decides for a driver, which looks at no folder of results."""
    return Admission(Path(os.devnull), first, resume=False)


def _is_lost(record: Record) -> bool:
    return bool(record["kind"] == PROCESS_LOST)


def _lost(file: Input) -> Quarantined:
    return Quarantined(
        file.source,
        PROCESS_LOST,
        "every process that took this file up was lost",
        "Look for memory or a machine that ran out; annotate the file alone, and report it if it is lost again.",
    )
