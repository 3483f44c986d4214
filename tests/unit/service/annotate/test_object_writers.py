"""DICOM objects made in processes of their own: the same bytes, the same errors, and none is left behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from medcam.core.errors import MedcamError
from medcam.service.annotate import object_writers
from medcam.service.annotate import run as annotate_run
from medcam.service.annotate.dicom_objects import ObjectPlan
from medcam.service.annotate.object_writers import ObjectsHere, ObjectWriters, object_maker
from medcam.service.annotate.options import AnnotateOptions, Output
from medcam.service.annotate.run import annotate

OBJECTS = (Output.SC, Output.SEG, Output.SR, Output.KO, Output.GSPS)


@dataclass(frozen=True, eq=False)
class Both:
    """Makes every film's objects twice, here and in another process."""

    there: ObjectWriters
    made: list[tuple[Any, Any]] = field(default_factory=list)

    def make(self, plan: ObjectPlan, outputs: tuple[Output, ...]) -> list[tuple[str, bytes]]:
        here = ObjectsHere().make(plan, outputs)
        self.made.append((here, self.there.make(plan, outputs)))
        return here


class Deadly:
    """Ends the process that unpacks it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (1,)


def test_another_process_makes_the_same_bytes_and_survives_what_it_cannot_make(
    films: Path, tmp_path: Path, options: AnnotateOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ObjectWriters(1) as writers:
        both = Both(writers)

        @contextmanager
        def maker(*_: object) -> Iterator[Both]:
            yield both

        monkeypatch.setattr(annotate_run, "object_maker", maker)
        manifest = annotate([films], tmp_path / "out", replace(options, outputs=OBJECTS))
        assert manifest.counts.annotated == len(both.made) == 3
        assert all(here == there for here, there in both.made)
        assert {name for here, _ in both.made for name, _ in here} >= {"sc.dcm", "sr.dcm", "seg-map.dcm"}
        [pid] = writers.pids
        with pytest.raises(MedcamError) as refused:
            writers.make("no plan", OBJECTS)  # type: ignore[arg-type]  a fault of a program
        assert (refused.value.code, "AttributeError" in refused.value.message) == ("internal-error", True)
        assert writers.pids == (pid,)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_process_that_dies_is_started_again_and_what_kills_each_is_refused() -> None:
    with ObjectWriters(1) as writers:
        with pytest.raises(MedcamError) as refused:
            writers.make(Deadly(), OBJECTS)  # type: ignore[arg-type]  stands for what kills
        assert refused.value.code == "writer-died"
        with pytest.raises(MedcamError, match="AttributeError"):
            writers.make("no plan", OBJECTS)  # type: ignore[arg-type]
        [first] = writers.pids
        os.kill(first, signal.SIGKILL)
        with pytest.raises(MedcamError, match="AttributeError"):
            writers.make("no plan", OBJECTS)  # type: ignore[arg-type]
        assert writers.pids != (first,)


def test_processes_are_for_runs_of_many_films_with_objects(options: AnnotateOptions) -> None:
    many = object_writers.FEWEST_FILMS
    asked = replace(options, outputs=OBJECTS, workers=2)
    for wanted, films, apart in (
        (asked, many, True),
        (asked, many - 1, False),
        (replace(asked, outputs=(Output.JSON, Output.PNG)), many, False),
        (replace(asked, workers=1), many, False),
    ):
        with object_maker(wanted, films) as maker:
            assert isinstance(maker, ObjectWriters) is apart
            assert not isinstance(maker, ObjectWriters) or maker.pids == ()
