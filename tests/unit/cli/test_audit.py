"""`medcam audit`, `medcam store` and `medcam readers` on a store with a few events."""

from __future__ import annotations

import json
import sqlite3

import pytest
from typer.testing import CliRunner

from medcam.cli.main import app
from medcam.service.annotate.options import AnnotateOptions, Output
from medcam.service.annotate.run import annotate
from medcam.service.audit.key import KEY_VARIABLE
from medcam.service.phantoms.make_phantoms import make_phantoms
from medcam.service.studies.opened import opened_store
from medcam.store import AuditDraft


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, str(tmp_path / "audit.pem"))
    folder = tmp_path / "store"
    with opened_store(folder) as opened:
        for number in range(4):
            opened.trail.append(AuditDraft("study-viewed", "ada@local", "0" * 16, {"number": number}))
    return str(folder)


def run(*words):
    return CliRunner().invoke(app, list(words))


def test_log_prints_events_the_newest_first(store):
    shown = run("audit", "log", "--store", store, "--limit", "2")
    listed = run("audit", "log", "--store", store, "--reader", "ada@local", "--json")

    assert shown.exit_code == 0
    assert "study-viewed" in shown.stdout
    events = json.loads(listed.stdout)
    assert [event["number"] for event in events] == [4, 3, 2, 1]
    assert events[0]["body"] == {"number": 3}


def test_verify_says_whole_and_how_far_it_is_proven(store, tmp_path):
    anchors = str(tmp_path / "anchors")
    assert "Tail unproven" in run("audit", "verify", "--store", store).stdout
    assert run("audit", "anchor", "--store", store, "--to", anchors).exit_code == 0
    proven = run("audit", "verify", "--store", store, "--anchor", anchors, "--key", str(tmp_path / "audit.pem.pub"))

    assert proven.exit_code == 0
    assert "The tail is proven" in proven.stdout
    found = json.loads(run("audit", "verify", "--store", store, "--anchor", anchors, "--json").stdout)
    assert (found["intact"], found["tail_proven"], found["events"]) == (True, True, 4)
    assert '"medcam_audit_anchor": 4' in run("audit", "anchor", "--store", store).stdout


def test_verify_names_the_first_event_that_is_wrong(store, tmp_path):
    with sqlite3.connect(tmp_path / "store" / "medcam.db") as connection:
        connection.execute("UPDATE audit_events SET reader = 'eve@local' WHERE number = 2")
    connection.close()
    result = run("audit", "verify", "--store", store)

    assert result.exit_code == 1
    assert "Event 2" in result.stdout
    assert "edited" in result.stdout


def test_replay_wants_one_or_all(store):
    assert run("audit", "replay", "--store", store).exit_code == 2
    assert run("audit", "replay", "abc", "--all", "--store", store).exit_code == 2


def test_a_store_goes_into_a_file_and_back(store, tmp_path):
    backup, copy = str(tmp_path / "backup.zip"), str(tmp_path / "copy")
    assert run("store", "backup", backup, "--store", store).exit_code == 0
    assert run("store", "restore", backup, "--store", copy).exit_code == 0
    assert run("audit", "verify", "--store", copy).exit_code == 0
    assert "up to date" in run("store", "migrate", "--store", copy).stdout
    moved = str(tmp_path / "moved")
    assert "Copied" in run("store", "migrate", "--store", copy, "--to", moved).stdout
    assert run("audit", "verify", "--store", moved).exit_code == 0


def test_readers_are_made_listed_and_given_studies(store):
    made = run("readers", "set", "ada", "--store", store, "--name", "Ada", "--role", "reader", "--role", "auditor")
    assert made.exit_code == 0
    [ada] = json.loads(run("readers", "list", "--store", store, "--json").stdout)
    assert ada == {
        "issuer": "local", "subject": "ada", "name": "Ada", "roles": ["auditor", "reader"], "everything": False,
        "active": True,
    }  # fmt: skip
    assert "assigned" in run("readers", "list", "--store", store).stdout
    unknown = run("readers", "assign", "ada", "--study", "0" * 16, "--store", store)
    assert unknown.exception.code == "no-such-study"
    nobody = run("readers", "withdraw", "bob", "--study", "0" * 16, "--store", store)
    assert nobody.exception.code == "no-such-reader"


@pytest.mark.parametrize("command", [("audit", "log"), ("audit", "verify"), ("store", "backup", "x.zip")])
def test_a_store_that_is_not_there_is_not_made(tmp_path, monkeypatch, command):
    monkeypatch.setenv(KEY_VARIABLE, str(tmp_path / "audit.pem"))
    if command == ("audit", "verify"):
        run("audit", "verify", "--store", str(tmp_path / "other"))
        from medcam.service.audit.key import make_signer

        make_signer(tmp_path / "audit.pem")
    result = run(*command, "--store", str(tmp_path / "none"))

    assert result.exception.code == "no-store"
    assert not (tmp_path / "none").exists()


def test_a_results_folder_is_verified_and_replayed_like_a_store(tmp_path):
    (tmp_path / "manifest.json").write_text(
        '{"counts": {"annotated": 1}, "annotated": [{"folder": "a/b", "source": "c"}]}'
    )
    told = run("audit", "verify", "--store", str(tmp_path))
    found = run("audit", "verify", "--store", str(tmp_path), "--json")
    empty = run("audit", "replay", "--all", "--store", str(tmp_path))

    assert (told.exit_code, found.exit_code) == (1, 1)
    assert "[result-missing]" in told.stdout
    assert json.loads(found.stdout)["faults"] == [{"result": "a/b", "fault": "result-missing", "detail": ""}]
    assert empty.exit_code == 0
    assert "0 equal" in empty.stdout


def test_an_explanation_that_is_gone_is_told_though_the_trail_is_whole(tiny_models, tmp_path, monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, str(tmp_path / "audit.pem"))
    make_phantoms(tmp_path / "films", 2, 5, size=96)
    options = AnnotateOptions(
        model=str(tiny_models[0]), outputs=(Output.JSON,), workers=1, store=str(tmp_path / "store")
    )
    annotate([tmp_path / "films"], tmp_path / "out", options)
    store = str(tmp_path / "store")
    whole = run("audit", "verify", "--store", store)
    with sqlite3.connect(tmp_path / "store" / "medcam.db") as connection:
        connection.execute("DELETE FROM findings")
        connection.execute("DELETE FROM explanations")
    connection.close()
    spoiled, listed = run("audit", "verify", "--store", store), run("audit", "verify", "--store", store, "--json")

    assert whole.exit_code == 0, whole.output
    assert "2 explanations and 0 answers, each as the trail noted it." in whole.stdout
    assert (spoiled.exit_code, listed.exit_code) == (1, 1)
    assert "Whole: 2 events" in spoiled.stdout
    assert "(event 1) [record-missing]" in spoiled.stdout
    assert "NOT AS NOTED: 2" in spoiled.stdout
    found = json.loads(listed.stdout)
    assert found["intact"] is False
    assert [one["fault"] for one in found["records"]["faults"]] == ["record-missing", "record-missing"]
