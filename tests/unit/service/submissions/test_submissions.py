from __future__ import annotations

import io
import json
import os
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from medcam.core.errors import InputError, MedcamError
from medcam.core.protocols import Classifier
from medcam.dicom.sandbox.pool import ReaderPool
from medcam.service.explanations.explanation_json import explanation_from_dict
from medcam.service.jobs.worker import Interrupted, Task, Worker
from medcam.service.studies.opened import OpenedStore, open_studies
from medcam.service.submissions.box import SubmissionBox, SubmissionLimits
from medcam.service.submissions.explaining import LoadedModels, SubmissionExplainer
from medcam.service.submissions.held_films import said_of
from medcam.service.submissions.keep_in_store import keep_in_store
from medcam.service.submissions.submission import EXPLAIN
from medcam.store import JobState, audit_events

ME, OTHER = "me@local", "other@local"


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OpenedStore]:
    store = open_studies(tmp_path / "store")
    yield store
    store.close()


@pytest.fixture
def box(opened: OpenedStore) -> SubmissionBox:
    return replace(SubmissionBox.of(opened.address, opened.jobs), clock=Clock())


@pytest.fixture(scope="module")
def readers() -> Iterator[ReaderPool]:
    with ReaderPool(1) as pool:
        yield pool


@pytest.fixture
def work(box: SubmissionBox, opened: OpenedStore, readers: ReaderPool, tiny_model: Classifier) -> Callable[[], bool]:
    """Does the job that is due; False where none is."""
    explainer = SubmissionExplainer(box, LoadedModels(lambda _name: tiny_model), readers)
    worker = Worker(opened.jobs, {EXPLAIN: Task(explainer)}, "test")
    return lambda: worker.step(threading.Event())


@pytest.fixture(scope="module")
def films(phantom_dicom: Path) -> list[Path]:
    return sorted(phantom_dicom.rglob("*.dcm"))


def handed(*paths: Path) -> list[tuple[str, io.BytesIO]]:
    return [(path.name, io.BytesIO(path.read_bytes())) for path in paths]


def test_a_film_and_an_archive_are_explained(
    box: SubmissionBox, work: Callable[[], bool], films: list[Path], tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "two.ZIP", "w") as archive:
        archive.write(films[1], "DOE^JANE/1.dcm")
        archive.writestr("note.txt", "no film")
    submission = box.take(ME, handed(films[0], tmp_path / "two.ZIP"), model="tiny")
    assert box.status(submission).state is JobState.WAITING
    assert sorted(path.name for path in box.folder_of(submission.id).inputs.iterdir()) == ["0001.dcm", "0002.zip"]

    assert work()

    status = box.status(submission)
    assert (status.state, status.ended, status.done, status.total) == (JobState.DONE, True, 3, 3)
    assert [one.code for one in status.passed_over] == ["not-dicom"]
    held = box.films(submission).all()
    assert len(held) == 2
    assert all(explanation_from_dict(one.explanation).findings for one in held)
    assert box.films(submission).pixels(held[0].film.sha256)
    inputs = box.folder_of(submission.id).inputs
    assert {box.films(submission).source(one, inputs) for one in held} == {path.read_bytes() for path in films[:2]}
    said = said_of(held[0], explanation_from_dict(held[0].explanation), box.films(submission).card(), 0.0)
    assert said.findings[0].name == held[0].explanation["findings"][0]["name"]
    assert not work()


def test_nobody_else_is_shown_a_submission(box: SubmissionBox, films: list[Path]) -> None:
    submission = box.take(ME, handed(films[0]), model="tiny")
    assert box.owned(ME) == [submission] == [box.find(submission.id, ME)]
    assert box.owned(OTHER) == []
    for wrong in (submission.id, "0" * 32, "../" + submission.id, "x"):
        with pytest.raises(InputError) as refused:
            box.find(wrong, OTHER)
        assert refused.value.code == "no-such-submission"


def test_what_is_broken_is_told_and_the_rest_is_explained(
    box: SubmissionBox, work: Callable[[], bool], films: list[Path], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.dcm"
    broken.write_bytes(films[0].read_bytes()[:3000])
    submission = box.take(ME, handed(broken, films[0]), model="tiny")
    work()
    status = box.status(submission)
    assert status.state is JobState.DONE
    assert [(one.source, one.refused) for one in status.passed_over] == [("0001.dcm", True)]
    assert len(box.films(submission).all()) == 1


def test_how_far_many_are_is_asked_at_once(box: SubmissionBox, work: Callable[[], bool], films: list[Path]) -> None:
    first, second, third = (box.take(ME, handed(film), model="phantom") for film in films[:3])
    assert work()
    box.discard(third)
    assert box.queue.claim([EXPLAIN], "somebody", 60) is not None
    found = box.progress([first, second, third])
    assert found == {
        one.id: replace(box.status(one), passed_over=()) if one is not third else None for one in (first, second, third)
    }
    done, running = found[first.id], found[second.id]
    assert done is not None
    assert running is not None
    assert [(one.state, one.done, one.total) for one in (done, running)] == [
        (JobState.DONE, 1, 1),
        (JobState.RUNNING, 0, 0),
    ]


def test_those_of_an_owner_are_told_as_they_come_and_go(box: SubmissionBox, films: list[Path]) -> None:
    first = box.take(ME, handed(films[0]), model="phantom")
    other = box.take(OTHER, handed(films[1]), model="phantom")
    assert box.owned(ME) == [first]
    second = box.take(ME, handed(films[2]), model="phantom")
    assert {one.id for one in box.owned(ME)} == {first.id, second.id}
    box.discard(first)
    assert (box.owned(ME), box.owned(OTHER)) == ([second], [other])
    assert sorted(box._known) == sorted([second.id, other.id])


def test_limits_leave_nothing_behind(box: SubmissionBox, films: list[Path]) -> None:
    tight = replace(box, limits=SubmissionLimits(bytes=1000, files=1, open=1))
    for files, code in (
        (handed(films[0]), "submission-too-large"),
        ([("a", io.BytesIO(b"1")), ("b", io.BytesIO(b"2"))], "submission-too-large"),
        ([], "no-files"),
    ):
        with pytest.raises(InputError) as refused:
            tight.take(ME, files, model="tiny")
        assert refused.value.code == code
        assert list(box.folder.iterdir()) == []
    tight.take(ME, [("a", io.BytesIO(b"1"))], model="tiny")
    with pytest.raises(InputError) as refused:
        tight.take(ME, [("a", io.BytesIO(b"1"))], model="tiny")
    assert refused.value.code == "too-many-submissions"
    tight.take(OTHER, [("a", io.BytesIO(b"1"))], model="tiny")


def test_a_worker_that_is_stopped_leaves_its_films_and_another_goes_on(
    box: SubmissionBox,
    opened: OpenedStore,
    readers: ReaderPool,
    tiny_model: Classifier,
    films: list[Path],
    work: Callable[[], bool],
) -> None:
    submission = box.take(ME, handed(*films), model="tiny")
    explainer = SubmissionExplainer(box, LoadedModels(lambda _name: tiny_model), readers)
    job = opened.jobs.claim([EXPLAIN], "killed", 0.0)
    assert job is not None
    with pytest.raises(Interrupted):
        explainer(job, lambda: True)
    begun = list(box.folder_of(submission.id).films.glob("*.film"))
    times = {path: path.stat().st_mtime_ns for path in begun}
    assert begun
    assert work()  # its lease has run out
    assert len(box.films(submission).all()) == len(films)
    assert box.status(submission).state is JobState.DONE
    assert {path: path.stat().st_mtime_ns for path in begun} == times


def test_what_was_let_go_of_is_no_failure(
    box: SubmissionBox, opened: OpenedStore, work: Callable[[], bool], films: list[Path]
) -> None:
    submission = box.take(ME, handed(films[0]), model="tiny")
    box.discard(submission)
    assert work()
    assert opened.jobs.failed(EXPLAIN) == []
    with pytest.raises(InputError):
        box.find(submission.id, ME)


def test_a_model_that_cannot_be_loaded_ends_the_submission_with_its_reason(
    box: SubmissionBox, opened: OpenedStore, readers: ReaderPool, films: list[Path]
) -> None:
    def load(_name: str) -> Classifier:
        raise InputError("there is no such model", code="no-such-model", next_step="")

    submission = box.take(ME, handed(films[0]), model="absent")
    task = Task(SubmissionExplainer(box, LoadedModels(load), readers))
    Worker(opened.jobs, {EXPLAIN: task}, "test").step(threading.Event())
    status = box.status(submission)
    assert (status.state, status.error_code) == (JobState.FAILED, "no-such-model")


def test_old_submissions_are_swept_and_forgotten_ones_asked_for_again(
    box: SubmissionBox, opened: OpenedStore, work: Callable[[], bool], films: list[Path]
) -> None:
    clock = box.clock
    assert isinstance(clock, Clock)
    old = box.take(ME, handed(films[0]), model="tiny")
    work()
    part = box.folder / f"{'0' * 32}.part"
    part.mkdir()
    os.utime(part, (0, 0))
    clock.now += 25 * 3600
    new = box.take(ME, handed(films[0]), model="tiny")
    assert box.sweep() == 2
    assert box.owned(ME) == [new]
    assert not part.exists()
    assert box.missed() == 0
    # As after the loss of the database: the folder is there, and no job.
    job = opened.jobs.claim([EXPLAIN], "test", 60.0)
    assert job is not None
    opened.jobs.finish(job)
    opened.jobs.purge(EXPLAIN, 1e12)
    assert box.missed() == 1
    assert box.status(new).state is JobState.WAITING
    assert old != new


def test_a_submission_stays_as_long_as_whoever_took_it_said(box: SubmissionBox, films: list[Path]) -> None:
    clock = box.clock
    assert isinstance(clock, Clock)
    short = replace(box, limits=SubmissionLimits(hours=1)).take(ME, handed(films[0]), model="tiny")
    long = replace(box, limits=SubmissionLimits(hours=100)).take(ME, handed(films[0]), model="tiny")
    clock.now += 2 * 3600
    assert box.sweep() == 1  # by a worker that was told of neither
    clock.now += 50 * 3600
    assert box.sweep() == 0
    assert box.owned(ME) == [long]
    assert long.expires - short.expires == 99 * 3600


def test_a_submission_is_kept_in_the_store_when_asked(
    box: SubmissionBox, opened: OpenedStore, work: Callable[[], bool], films: list[Path]
) -> None:
    submission = box.take(ME, handed(films[0]), model="tiny")
    work()
    assert opened.films.counts()["studies"] == 0
    studies = keep_in_store(opened, box, submission)
    assert keep_in_store(opened, box, submission) == studies
    kept = opened.films.films(studies[0])
    box.discard(submission)
    assert len(kept) == 1
    assert opened.files.pixels(kept[0].sha256)
    source = opened.files.source_path(kept[0].sha256, kept[0].source)
    assert source.read_bytes() == films[0].read_bytes()
    events = [event for event in audit_events(opened.store) if event.kind == "submission-kept"]
    assert json.loads(events[0].body)["studies"] == studies


def test_models_are_loaded_once_and_let_go_of(tiny_model: Classifier) -> None:
    asked: list[str] = []

    def load(name: str) -> Classifier:
        asked.append(name)
        if name == "bad":
            raise MedcamError("no")
        return tiny_model

    models = LoadedModels(load, most=2)
    for name in ("a", "b", "a", "c", "a", "b"):
        assert models(name) is tiny_model
    assert asked == ["a", "b", "c", "b"]
    with pytest.raises(MedcamError):
        models("bad")
