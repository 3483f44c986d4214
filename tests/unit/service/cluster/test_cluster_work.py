"""What a process of the pool does, without a cluster around it: blocks in, outcomes out."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from medcam.core.errors import UsageError
from medcam.service.annotate.admission import Admission
from medcam.service.annotate.inputs import find_inputs
from medcam.service.annotate.options import AnnotateOptions
from medcam.service.annotate.outcomes import Annotated, Duplicate, Quarantined, Skipped
from medcam.service.annotate.quarantine import QuarantineLog
from medcam.service.annotate.run import annotate
from medcam.service.cluster.agreeing import agree, agreed_classifier
from medcam.service.cluster.asked import Asked
from medcam.service.cluster.blocks import BlockWorker
from medcam.service.cluster.explaining import Explaining
from medcam.service.cluster.found import Found
from medcam.service.cluster.opening import Opening
from medcam.service.cluster.rows import (
    ended,
    found_or_outcome,
    input_of,
    input_record,
    outcome_of,
    outcome_record,
    raised,
    to_text,
)
from medcam.service.cluster.settings import ClusterError
from medcam.service.output_errors import OutputError


@pytest.fixture(scope="module")
def films(phantom_dicom: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(shutil.copytree(phantom_dicom, tmp_path_factory.mktemp("cluster") / "films"))
    (folder / "broken.dcm").write_bytes(b"")
    return folder


@pytest.fixture(scope="module")
def options(tiny_model_folder: Path) -> AnnotateOptions:
    return AnnotateOptions(model=str(tiny_model_folder), workers=2, engine="torch")


@pytest.fixture(scope="module")
def asked(options: AnnotateOptions) -> tuple[Asked, ...]:
    return agree([options.model], options)


def done(worker: BlockWorker, records: list[tuple[int, dict[str, object]]]) -> dict[int, dict[str, object]]:
    """What Ray would get for a block."""
    with closing(worker):
        answer = worker({"index": [number for number, _ in records], "record": [to_text(one) for _, one in records]})
    return dict(zip(answer["index"], map(json.loads, answer["record"]), strict=True))


def names(folder: Path, pattern: str) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob(pattern)}


def numbered(films: Path, out: Path) -> list[tuple[int, dict[str, object]]]:
    return [(number, input_record(file)) for number, file in enumerate(find_inputs([films], out))]


def test_records_come_back_as_they_went(films, tmp_path):
    for file in find_inputs([films], tmp_path):
        assert input_of(json.loads(to_text(input_record(file)))).read() == file.read()
    outcomes = [
        Annotated("a", "1/2", True, True),
        Skipped("b", "not-dicom", "why"),
        Duplicate("c", "a"),
        Quarantined("d", "x", "m", "n"),
    ]
    assert [outcome_of(json.loads(to_text(outcome_record(one)))) for one in outcomes] == outcomes


def test_files_are_opened_and_a_run_explains_what_is_left(films, options, asked, tmp_path):
    out, alone = tmp_path / "out", tmp_path / "alone"
    out.mkdir()
    inputs = numbered(films, out)
    with QuarantineLog(out):
        opened = done(BlockWorker(Opening(str(out), asked, resume=True)), inputs)
        files = [input_of(record) for _, record in inputs]
        found = {number: found_or_outcome(record, files[number]) for number, record in opened.items()}
        candidates = [one for one in found.values() if isinstance(one, Found)]
        admitted = list(Admission(out, asked[0].request, resume=False).admit(candidates))
        records = [(number, record) for number, record in inputs if found[number] in admitted]
        first = done(BlockWorker(Explaining(str(out), options, asked)), records)
        stamps = {path: path.stat().st_mtime_ns for path in out.rglob("*.json")}
        # As after the loss of a process that had finished them.
        again = done(BlockWorker(Explaining(str(out), options, asked)), records)

    annotate([films], alone, options)
    assert names(out, "*.png") == names(alone, "*.png")
    assert [one.code for one in found.values() if isinstance(one, Quarantined)] == ["empty-file"]
    assert {type(ended(record)[0]) for record in first.values()} <= {Annotated, Skipped}
    assert first == again
    assert stamps == {path: path.stat().st_mtime_ns for path in out.rglob("*.json")}, "nothing was done twice"


def test_finished_films_are_kept_or_forgotten(films, options, asked, tmp_path):
    annotate([films], tmp_path, options)
    inputs, explanations = numbered(films, tmp_path), list(tmp_path.glob("*/*/explanation.json"))

    kept = done(BlockWorker(Opening(str(tmp_path), asked, resume=True)), inputs)
    told = [record["finished"]["0"] for record in kept.values() if record.get("finished")]
    assert len(told) == len(explanations) > 0
    assert {one["folder"] for one in told} == {"/".join(path.parts[-3:-1]) for path in explanations}
    assert all(one["reused"] for one in told)

    done(BlockWorker(Opening(str(tmp_path), asked, resume=False)), inputs)
    assert not list(tmp_path.glob("*/*/explanation.json"))


def test_machines_that_differ_say_in_what(options, asked, tmp_path):
    with QuarantineLog(tmp_path):
        other = replace(asked[0], request=replace(asked[0].request, software="0.0.1"))
        [record] = done(BlockWorker(Explaining(str(tmp_path), options, (other,))), [(0, {})]).values()

    with pytest.raises(ClusterError, match="software") as told:
        raised(record)
    assert told.value.code == "machines-differ"


def test_errors_that_end_a_run_keep_code_and_kind(tmp_path, options, asked):
    [unshared] = done(BlockWorker(Explaining(str(tmp_path / "nowhere"), options, asked)), [(0, {})]).values()
    with pytest.raises(ClusterError) as told:
        raised(unshared)
    assert told.value.code == "output-not-shared"

    def wrong():
        raise UsageError("no", code="usage", next_step="next")

    [record] = done(BlockWorker(wrong), [(0, {})]).values()
    with pytest.raises(UsageError) as usage:
        raised(record)
    assert usage.value.next_step == "next"


def test_a_full_disk_ends_the_run_and_no_film(films, options, asked, tmp_path, monkeypatch):
    def full(*_arguments, **_more):
        raise OutputError("full", code="disk-full")

    with QuarantineLog(tmp_path):
        worker = BlockWorker(Explaining(str(tmp_path), options, asked))
        monkeypatch.setattr("medcam.service.annotate.stages.Stages.write", full)
        [record] = done(worker, [numbered(films, tmp_path)[-1]]).values()
    with pytest.raises(ClusterError) as told:
        raised(record)
    assert told.value.code == "disk-full"


def test_the_engine_is_the_one_that_was_agreed_on(options, asked):
    [one] = asked
    assert (one.engine.name, one.engine.precision) == ("torch", "fp32")
    assert agreed_classifier(one, options).engine.name == "torch"
