"""What is received becomes results once, whatever comes again, late or with other bytes."""

from __future__ import annotations

import json
import shutil
import threading

import pydicom
from node_objects import an_object, film_object, object_of
from node_work import figures

from medcam.models.registry import load_model
from medcam.service.studies.keep import Keeper
from medcam.service.studies.opened import opened_store
from medcam.store import JobState


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


def test_no_uid_and_no_name_reaches_a_path_or_a_figure(make_core, options, films, pacs, work):
    core = make_core(**options)
    core.take(films[0])
    work(core)
    paths = "\n".join(path.as_posix() for path in core.folder.path.rglob("*"))
    exposition = core.metrics.exposition().decode()
    assert films[0].sop_instance_uid not in paths + exposition
    assert "MODALITY" not in exposition
