"""A kept decision is computed again: equal, different, or impossible with the reason."""

from __future__ import annotations

import json
import shutil
import sqlite3
import zlib

import pytest

from medcam.core.errors import InputError
from medcam.service.annotate.options import AnnotateOptions, Output
from medcam.service.annotate.run import annotate
from medcam.service.audit.replay import PastDecision, Verdict, _compare
from medcam.service.audit.replay_all import replay_all
from medcam.service.audit.replay_engine import ReplayEngine
from medcam.service.studies.opened import opened_store
from medcam.store import audit_events


@pytest.fixture
def kept(phantom_dicom, tiny_model_folder, tmp_path):
    """A store with one film, whose file lies in `films`."""
    (tmp_path / "films").mkdir()
    shutil.copy(phantom_dicom / "film-0.dcm", tmp_path / "films")
    options = AnnotateOptions(
        model=str(tiny_model_folder), outputs=(Output.JSON,), workers=1, store=str(tmp_path / "store")
    )
    annotate([tmp_path / "films"], tmp_path / "out", options)
    with opened_store(tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def again(kept, tiny_model_folder):
    def replayed(model=None):
        return replay_all(kept, None, str(model or tiny_model_folder))

    return replayed


def test_the_same_comes_out_and_is_noted(kept, again):
    [result] = again()

    assert result.verdict is Verdict.EQUAL
    assert result.differences == ()
    assert result.largest < 1e-4
    event = list(audit_events(kept.store))[-1]
    assert (event.kind, event.details["verdict"]) == ("explanation-replayed", "equal")


def test_an_explanation_that_was_edited_is_told_with_the_place(kept, again):
    [explanation] = kept.films.explanation_ids()
    content = json.loads(kept.films.explanation(explanation)[0].content)
    content["findings"][2]["logit"] += 0.25
    content["findings"][1]["present"] = not content["findings"][1]["present"]
    content["findings"][0]["regions"] = []
    with sqlite3.connect(kept.address.file) as connection:
        connection.execute("UPDATE explanations SET content = ?", (zlib.compress(json.dumps(content).encode()),))
    connection.close()
    [result] = again()

    assert result.verdict is Verdict.DIFFERENT
    assert result.largest == pytest.approx(0.25)
    places = {difference.partition(":")[0] for difference in result.differences}
    assert {"content", "findings[2].logit", "findings[1].present"} <= places


def test_what_an_older_schema_does_not_hold_makes_no_difference(kept, again):
    [explanation] = kept.films.explanation_ids()
    content = json.loads(kept.films.explanation(explanation)[0].content) | {"schema_version": "1.0"}
    del content["features"]
    for finding in content["findings"]:
        del finding["map"]["relation"]
    with sqlite3.connect(kept.address.file) as connection:
        connection.execute("UPDATE explanations SET content = ?", (zlib.compress(json.dumps(content).encode()),))
    connection.close()
    [result] = again()

    # The text is another one, which its digest tells; what was decided is the same.
    assert [difference.partition(":")[0] for difference in result.differences] == ["content"]


def test_zones_by_another_registration_are_told_by_name(kept, again):
    [explanation] = kept.films.explanation_ids()
    content = json.loads(kept.films.explanation(explanation)[0].content)
    content["findings"][0]["evidence"]["zones"]["heart"] += 0.5
    before = dict(content["software"])
    del content["software"]["medcam.anatomy"]
    past = PastDecision(explanation, b"", False, "", "", "", "cam", True, "", bytes)
    fresh = json.loads(kept.films.explanation(explanation)[0].content)

    def compared(record):
        return _compare(past, record, fresh, ReplayEngine(None, recorded=True, words="torch fp32"))

    other = compared(content)
    assert (other.verdict, other.code) == (Verdict.DIFFERENT, "other-anatomy")
    assert any(line.startswith("medcam.anatomy: none was used") for line in other.versions)
    assert compared(content | {"software": before}).code == "result-differs"
    content["findings"][0]["logit"] += 0.5
    assert compared(content).code == "result-differs"


def test_other_weights_are_told(kept, again, strict_model_folder):
    # The strict model has a gate, and with it another digest.
    [result] = again(strict_model_folder)

    assert (result.verdict, result.code) == (Verdict.IMPOSSIBLE, "other-weights")


def test_a_file_that_is_gone_or_was_changed_is_told(kept, again, tmp_path):
    path = tmp_path / "films" / "film-0.dcm"
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    [changed] = again()
    path.unlink()
    [gone] = again()

    assert (changed.verdict, changed.code) == (Verdict.IMPOSSIBLE, "source-changed")
    assert (gone.verdict, gone.code) == (Verdict.IMPOSSIBLE, "source-gone")


def test_a_model_that_is_not_there_is_told(again):
    [result] = again("no-such-model")

    assert (result.verdict, result.code) == (Verdict.IMPOSSIBLE, "no-such-model")


def test_an_explanation_that_is_not_there_is_refused(kept):
    with pytest.raises(InputError) as caught:
        replay_all(kept, ["0" * 16])
    assert caught.value.code == "no-such-explanation"
