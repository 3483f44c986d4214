"""The record of a run: whole, under way, or damaged."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from medcam.core.explanation import ModelReference
from medcam.service.annotate.manifest import Manifest, write_manifest
from medcam.service.annotate.outcomes import Annotated, Skipped
from medcam.service.annotate.quarantine import QuarantineLog
from run_record import SetAside, read_run

REFUSED = SetAside("b.dcm", "unreadable", "the file cannot be read")


@pytest.fixture
def run(out):
    """A folder whose record the service wrote itself: one film, one skipped, one refused."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    with QuarantineLog(out) as log:
        log.add(REFUSED.source, REFUSED.code, REFUSED.message, "Export it again.")
    write_manifest(
        out,
        Manifest(
            ModelReference("tiny", "0.1", ""),
            {},
            {},
            now,
            now,
            annotated=(Annotated("a.dcm", "0" * 16, False),),
            skipped=(Skipped("c.dcm", "not-frontal", "a lateral film"),),
            quarantined=1,
        ),
    )
    return out


def test_a_finished_run(run):
    record = read_run(run)

    assert record.complete
    assert record.counts == {"annotated": 1, "skipped": 1, "quarantined": 1, "duplicate": 0}
    assert record.skipped == (SetAside("c.dcm", "not-frontal", "a lateral film"),)
    assert record.quarantined == (REFUSED,)
    assert record.problem == ""


def test_a_run_under_way_has_no_manifest(run):
    (run / "manifest.json").unlink()

    record = read_run(run)

    assert not record.complete
    assert record.counts == {}
    assert record.quarantined == (REFUSED,)
    assert record.problem == ""


def test_an_empty_folder_has_no_record(out):
    record = read_run(out)

    assert (record.complete, record.counts, record.skipped, record.quarantined, record.problem) == (
        False,
        {},
        (),
        (),
        "",
    )


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b"\xff", b'{"counts": {"annotated": 1e999}, "skipped": []}', b"[" * 200_000]
)
def test_a_damaged_manifest_is_named(run, content):
    (run / "manifest.json").write_bytes(content)

    record = read_run(run)

    assert record.complete
    assert record.problem == "manifest.json cannot be read"
    assert record.quarantined == (REFUSED,)


def test_a_half_written_line_is_counted_and_the_others_are_kept(run):
    path = run / "quarantine.jsonl"
    whole = path.read_text()
    path.write_text(whole + "\n" + whole[:20])
    assert read_run(run).quarantined == (REFUSED,)
    assert read_run(run).problem == "quarantine.jsonl: 1 line cannot be read"

    path.write_text(whole + "[1]\n" + json.dumps({"source": "x"}) + "\n" + whole)
    assert read_run(run).quarantined == (REFUSED, REFUSED)
    assert read_run(run).problem == "quarantine.jsonl: 2 lines cannot be read"


def test_damage_to_both_files_is_named_once_each(run):
    (run / "quarantine.jsonl").write_text("{\n")
    (run / "manifest.json").write_text("{")

    assert read_run(run).problem == "manifest.json cannot be read. quarantine.jsonl: 1 line cannot be read"


def test_a_list_that_cannot_be_opened_is_named(run):
    (run / "quarantine.jsonl").unlink()
    (run / "quarantine.jsonl").mkdir()

    assert read_run(run).problem == "quarantine.jsonl cannot be read"
