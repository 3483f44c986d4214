"""`medcam evaluate shortcuts`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from medcam.core.card import Interval
from medcam.evaluate.shortcuts.record import Association, Place, PlaceErasing, PlaceEvidence, ShortcutRecord
from medcam.evaluate.shortcuts.rule import Severity
from medcam.service.evaluation import shortcuts as service

from .conftest import Ended

DROP, STILL = Interval(-1.2, -1.4, -1.0), Interval(0.0, -0.1, 0.1)
RECORD = ShortcutRecord(
    model="tiny",
    weights_sha256="ab",
    data="films",
    films=60,
    patients=50,
    exact=0,
    findings=("Nodule",),
    evidence=(PlaceEvidence("Nodule", Place.PRINT, 20, 18, Interval(0.4, 0.3, 0.5), 0.02, Interval(20.0, 15.0, 25.0)),),
    erasing=(
        PlaceErasing(
            "Nodule", Place.PRINT, 60, 50, DROP, STILL, DROP, DROP, True, STILL, 1e-6, 1e-5, Severity.HIGH, "why"
        ),
    ),
    associations=(
        Association(
            "Nodule", "view", "AP against PA", 60, 50, 20, True, DROP, DROP, 1e-4, 1e-3, Severity.HIGH, "because"
        ),
    ),
    notes=("devices were not looked for",),
    skipped={"b.dcm": "not-dicom"},
)


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What the service, which has tests of its own, is called with."""
    with_what: dict[str, object] = {}

    def evaluate(model: str, data: Path, **options: object) -> ShortcutRecord:
        with_what.update(options, model=model, data=data)
        options["progress"](1, 1)  # type: ignore[operator]
        return RECORD

    monkeypatch.setattr(service, "evaluate_shortcuts", evaluate)
    return with_what


def test_tables_verdict_rule_and_notes_are_shown(medcam: Callable[..., Ended], called, tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    words = ("--data", "films", "--model", "tiny", "--truth", "t.csv", "--rename", "A=Nodule", "--out", file)
    ended = medcam("evaluate", "shortcuts", *words)

    assert ended.code == 0
    assert (called["model"], called["data"], called["truth"]) == ("tiny", Path("films"), Path("t.csv"))
    assert called["rename"] == {"A": "Nodule"}
    assert "Nodule hangs on marker or text: high (why)." in ended.out
    assert "Nodule with view (AP against PA)" in ended.out
    assert "Benjamini-Hochberg" in ended.out
    assert "Note: devices were not looked for." in ended.out
    assert "1 files were passed over" in ended.err
    assert ShortcutRecord.from_json(file.read_text()) == RECORD


def test_json_holds_the_record(medcam: Callable[..., Ended], called) -> None:
    ended = medcam("evaluate", "shortcuts", "--data", "films", "--json")

    assert ShortcutRecord.from_dict(json.loads(ended.out)) == RECORD
    assert called["model"] == "phantom"
    assert called["rename"] == {}


def test_a_new_name_without_the_old_one_is_a_wrong_call(medcam: Callable[..., Ended], called) -> None:
    assert medcam("evaluate", "shortcuts", "--data", "films", "--rename", "Nodule").code == 2
