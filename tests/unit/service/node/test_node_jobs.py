"""From received objects to objects that are sent, with real films, a tiny model and a destination in memory."""

from __future__ import annotations

import json
import shutil
import threading
import time
from dataclasses import replace

import pydicom
import pytest
from node_objects import CR, an_object, film_object, object_of

from medcam.dicom.network.commitment import CommitmentError, CommitmentRequest, Fault, Reference
from medcam.dicom.network.delivery import Delivery, DeliveryOutcome
from medcam.dicom.network.destination import parse_destination
from medcam.dicom.sandbox.pool import ReaderPool
from medcam.models.registry import load_model
from medcam.service.annotate.options import AnnotateOptions
from medcam.service.jobs.retrying import RetryPolicy
from medcam.service.node import committing
from medcam.service.node import core as core_module
from medcam.service.node.options import NODE_OUTPUTS
from medcam.service.node.sending import FilmSender
from medcam.service.studies.keep import Keeper
from medcam.service.studies.opened import opened_store
from medcam.store import JobState

PACS = "PACS@127.0.0.1:104"
AT_ONCE = RetryPolicy(attempts=2, first=0.0)


class Destination:
    """Takes what comes, or does not."""

    def __init__(self) -> None:
        self.outcome, self.code = DeliveryOutcome.ACCEPTED, ""
        self.got: dict[str, list[bytes]] = {}

    def __call__(self, destination, files, _security):
        assert str(destination) == PACS
        if self.outcome is DeliveryOutcome.ACCEPTED:
            for path in files:
                self.got.setdefault("/".join(path.parts[-3:]), []).append(path.read_bytes())
        return [Delivery(path, "1.2", "1.3", self.outcome, self.code, "so it is") for path in files]


@pytest.fixture
def pacs(monkeypatch):
    made = Destination()

    def sender(*args):
        return FilmSender(*args, deliver=made)

    monkeypatch.setattr(core_module, "FilmSender", sender)
    return made


@pytest.fixture(scope="module")
def readers():
    with ReaderPool(2) as pool:
        yield pool


@pytest.fixture
def options(tiny_model_folder):
    return {
        "annotate": AnnotateOptions(model=str(tiny_model_folder), outputs=NODE_OUTPUTS, workers=2),
        "send_to": (parse_destination(PACS),),
        "sending": AT_ONCE,
    }


@pytest.fixture
def films(tmp_path):
    return [film_object(tmp_path / "films", seed) for seed in ("one", "two")]


@pytest.fixture
def work(readers):
    """Does all jobs that are due."""

    def run(core):
        workers = core.workers(load_model(core.options.annotate.model), readers)
        stop = threading.Event()
        while sum(worker.step(stop) for worker in workers):
            pass

    return run


def figures(core):
    lines = core.metrics.exposition().decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


def test_readers_of_a_store_find_what_was_received_when_the_inbox_is_empty_again(
    make_core, options, films, pacs, work, tmp_path
):
    with opened_store(tmp_path / "store") as opened:
        core = make_core(**options)
        card = load_model(options["annotate"].model).card
        core.keeper = Keeper.of(opened, card, copies=True)
        for film in films:
            core.take(film)
        work(core)
        received = [file.path.read_bytes() for file in core.inbox.files()]
        shutil.rmtree(core.folder.inbox)

        assert opened.films.counts()["studies"] == len(films)
        kept = [one for study in core.folder.results.glob("*/") for one in opened.films.films(study.name)]
        assert sorted(opened.files.source_path(one.sha256, one.source).read_bytes() for one in kept) == sorted(received)
        assert all(opened.files.pixels(one.sha256) for one in kept)


def test_what_is_received_is_annotated_and_sent_once(make_core, options, films, pacs, work):
    core = make_core(**options)
    for film in films:
        core.take(film)
    work(core)

    explanations = sorted(core.folder.results.glob("*/*/explanation.json"))
    assert len(explanations) == len(films)
    objects = {path.relative_to(core.folder.path).as_posix(): path for path in core.folder.results.rglob("*.dcm")}
    assert {f"results/{name}" for name in pacs.got} == set(objects)
    assert all(contents == [objects[f"results/{name}"].read_bytes()] for name, contents in pacs.got.items())

    before = {name: list(contents) for name, contents in pacs.got.items()}
    for film in films:  # the sender did not hear the answer
        core.take(film)
    work(core)
    assert pacs.got == before
    counted = figures(core)
    assert counted["medcam_received_total"] == counted["medcam_received_again_total"] == len(films)
    assert counted["medcam_annotated_total"] == len(films)
    assert counted["medcam_sent_total"] == len(objects)
    assert counted['medcam_jobs{kind="send",state="done"}'] == len(films)


def test_a_late_film_of_a_study_leaves_the_earlier_ones_alone(make_core, options, tmp_path, pacs, work):
    early, _ = (film_object(tmp_path / "films", seed) for seed in ("one", "three"))
    study = pydicom.dcmread(tmp_path / "films" / "one.dcm", stop_before_pixels=True).StudyInstanceUID
    path = tmp_path / "films" / "three.dcm"
    made = pydicom.dcmread(path)
    made.StudyInstanceUID = study
    made.save_as(path)
    late = object_of(path)
    core = make_core(**options)
    core.take(early)
    work(core)
    (first,) = core.folder.results.glob("*/*/explanation.json")
    times = {one: one.stat().st_mtime_ns for one in first.parent.iterdir()}

    core.take(late)
    work(core)
    assert len(list(core.folder.results.glob(f"{first.parent.parent.name}/*/explanation.json"))) == 2
    assert {one: one.stat().st_mtime_ns for one in first.parent.iterdir()} == times
    assert all(len(contents) == 1 for contents in pacs.got.values())


def test_other_bytes_of_a_uid_are_quarantined_and_the_first_film_stays(make_core, options, films, pacs, work):
    core = make_core(**options)
    core.take(films[0])
    work(core)
    sent = dict(pacs.got)
    rival = films[0]
    data = bytearray(rival.data)
    data[-1] ^= 1
    core.take(
        type(rival)(rival.sop_class_uid, rival.sop_instance_uid, rival.transfer_syntax_uid, memoryview(bytes(data)))
    )
    work(core)

    assert pacs.got == sent
    (listed,) = core.folder.results.glob("*/quarantine.jsonl")
    (line,) = listed.read_text().splitlines()
    assert json.loads(line)["code"] == "duplicate-uid"
    assert figures(core)["medcam_quarantined_total"] == 1


def test_what_is_no_film_is_passed_over_and_counted_once(make_core, options, pacs, work):
    core = make_core(**options)
    for _ in range(2):
        core.take(an_object())
        work(core)
    counted = figures(core)
    assert counted["medcam_annotated_total"] == 0
    assert counted["medcam_skipped_total"] + counted["medcam_quarantined_total"] == 1
    assert pacs.got == {}


def test_a_destination_that_stays_away_makes_a_dead_letter_and_gets_it_later(make_core, options, films, pacs, work):
    core = make_core(**options)
    pacs.outcome, pacs.code = DeliveryOutcome.FAILED, "peer-unreachable"
    core.take(films[0])
    work(core)

    (letter,) = core.folder.dead_letters.iterdir()
    reason = json.loads((letter / "reason.json").read_text())
    assert (reason["code"], reason["destination"], reason["failures"]) == ("peer-unreachable", PACS, 2)
    kept = {path.name: path.read_bytes() for path in letter.glob("*.dcm")}
    made = {path.name: path.read_bytes() for path in core.folder.results.rglob("*.dcm")}
    assert kept == made != {}
    counted = figures(core)
    assert counted['medcam_failed_total{kind="send"}'] == counted['medcam_dead_total{kind="send"}'] == 1
    assert counted['medcam_jobs{kind="send",state="failed"}'] == 1

    pacs.outcome, pacs.code = DeliveryOutcome.ACCEPTED, ""
    work(core)
    assert pacs.got == {}
    assert core.revive() == 1
    assert list(core.folder.dead_letters.iterdir()) == []
    work(core)
    assert {name.rpartition("/")[2]: contents for name, contents in pacs.got.items()} == {
        name: [content] for name, content in made.items()
    }


def test_what_a_destination_refuses_is_not_tried_again(make_core, options, films, pacs, work):
    core = make_core(**options)
    pacs.outcome, pacs.code = DeliveryOutcome.REFUSED, "not-stored"
    core.take(films[0])
    work(core)
    counted = figures(core)
    assert counted['medcam_dead_total{kind="send"}'] == 1
    assert 'medcam_failed_total{kind="send"}' not in counted


def test_results_that_have_changed_are_not_sent(make_core, options, films, pacs, work, monkeypatch):
    core = make_core(**options)
    pacs.outcome, pacs.code = DeliveryOutcome.FAILED, "peer-unreachable"
    core.take(films[0])
    work(core)
    for path in core.folder.results.rglob("sc.dcm"):
        path.write_bytes(path.read_bytes() + b"\0")
    pacs.outcome = DeliveryOutcome.ACCEPTED
    core.revive()
    work(core)
    assert pacs.got == {}
    assert [job.error_code for job in core.queue.failed("send")] == ["results-changed"]


def test_a_lost_database_loses_no_study(make_core, options, films, pacs, work):
    core = make_core(**options)
    core.take(films[0])
    core.folder.database.unlink()
    again = make_core(**options)
    again.resume()
    again.resume()
    work(again)
    assert len(pacs.got) > 0
    assert again.queue.counts()["annotate", JobState.DONE] == 1


def test_retention_lets_go_of_what_is_old_and_sent_alone(make_core, options, films, pacs, work):
    core = make_core(**options, keep_days=1.0)
    core.take(films[0])
    work(core)
    pacs.outcome, pacs.code = DeliveryOutcome.FAILED, "peer-unreachable"
    core.take(films[1])
    work(core)
    core.take(an_object("2.25.3", "2.25.33"))  # waits

    assert core.retention() == 0
    later = replace(core.retention, clock=lambda: time.time() + 2 * 86400)
    sent = {name.split("/")[0] for name in pacs.got}
    assert later() == 1
    left = set(core.inbox.studies())
    assert len(left) == 2
    assert not sent & left
    assert {path.name for path in core.folder.results.iterdir()} <= left
    assert figures(core)["medcam_purged_studies_total"] == 1

    before = {name: list(contents) for name, contents in pacs.got.items()}
    core.take(films[0])  # comes again after it was let go of: made anew, not sent again under the same UIDs
    work(core)
    assert len(list(core.folder.results.glob(f"{next(iter(sent))}/*/explanation.json"))) == 1
    assert pacs.got == before


def test_a_crowded_node_lets_go_of_the_oldest_finished_study(make_core, options, films, pacs, work):
    core = make_core(**options, keep_days=None)
    for film in films:
        core.take(film)
    work(core)
    assert core.retention() == 0
    core.room.quota = int(core.room.measure() / 0.95)
    assert core.retention() >= 1
    assert core.room.used < 0.9 * core.room.quota or core.inbox.studies() == []


def test_an_interrupted_study_is_finished_by_the_next_worker(make_core, options, films, pacs, readers, work):
    core = make_core(**options)
    core.take(films[0])
    annotating = core.workers(load_model(core.options.annotate.model), readers)[0]
    stop = threading.Event()
    stop.set()
    assert annotating.step(stop)
    assert core.queue.counts()["annotate", JobState.WAITING] == 1
    work(core)
    assert pacs.got


def test_commitment_promises_what_is_whole(make_core, options):
    core = make_core(**options)
    for n in range(3):
        core.take(an_object(f"2.25.{n}", content=b"x"))
    damaged = core.inbox.keep(an_object("2.25.1", content=b"x"), lambda _: None).path
    damaged.write_bytes(damaged.read_bytes() + b"!")
    named = [(CR, "2.25.0"), (CR, "2.25.1"), ("1.2.3", "2.25.2"), (CR, "2.25.9")]
    asked = tuple(Reference(*pair) for pair in named)
    report = core.commit(CommitmentRequest("2.25.5", asked, "MODALITY"))

    assert report.kept == asked[:1]
    assert [fault for _, fault in report.failed] == [
        Fault.PROCESSING_FAILURE,
        Fault.CLASS_CONFLICT,
        Fault.NO_SUCH_OBJECT,
    ]


def test_a_known_peer_is_reported_to_until_it_answers(make_core, options, work, monkeypatch):
    told, peer = [], parse_destination("MODALITY@127.0.0.1:105")

    def report(where, aet, answer):
        told.append((where, aet, answer))
        if len(told) == 1:
            raise CommitmentError("nobody answers")

    reporter = committing.CommitmentReporter
    monkeypatch.setattr(core_module, "CommitmentReporter", lambda *args: reporter(*args, report=report))
    monkeypatch.setattr(core_module, "_REPORTING", AT_ONCE)
    core = make_core(**options, peers={"MODALITY": peer})
    core.take(an_object("2.25.1"))
    request = CommitmentRequest("2.25.5", (Reference(CR, "2.25.1"),), "MODALITY")
    assert core.commit_later(request)
    assert not core.commit_later(CommitmentRequest("2.25.6", request.references, "STRANGER"))
    work(core)
    assert [(where, aet, answer.kept) for where, aet, answer in told] == [(peer, "NODE", request.references)] * 2


def test_a_node_says_why_it_is_not_ready(make_core, options):
    core = make_core(**options)
    assert core.ready() == []
    core.room.quota = 1
    assert core.ready() == ["no room for received objects"]


def test_no_uid_and_no_name_reaches_a_path_or_a_figure(make_core, options, films, pacs, work):
    core = make_core(**options)
    core.take(films[0])
    work(core)
    paths = "\n".join(path.as_posix() for path in core.folder.path.rglob("*"))
    exposition = core.metrics.exposition().decode()
    assert films[0].sop_instance_uid not in paths + exposition
    assert "MODALITY" not in exposition
