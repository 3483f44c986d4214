"""`medcam evaluate errors`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from medcam.core.errors import UsageError
from medcam.evaluate.triage import RULES, Cause
from medcam.service.evaluation import error_report as service
from medcam.service.evaluation.error_figures import ErrorFigures, FindingErrors

from .conftest import Ended

FIGURES = ErrorFigures(
    model="tiny",
    weights_sha256="ab",
    films=9,
    rules=RULES,
    findings={"Nodule": FindingErrors(8, 3, 2, 1, {Cause.MARK.value: 2, Cause.NOTHING.value: 1})},
    errors=({"film": "a.dcm", "finding": "Nodule"},) * 3,
    skipped={"b.dcm": "not-dicom"},
)


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What the service, which has tests of its own, is called with."""
    with_what: dict[str, object] = {}

    def evaluate(folder: Path, model: str, *, out: Path | None, progress: Callable[[int, int], None]) -> ErrorFigures:
        with_what.update(folder=folder, model=model, out=out)
        progress(1, 1)
        return FIGURES

    monkeypatch.setattr(service, "evaluate_errors", evaluate)
    return with_what


def test_the_table_counts_mistakes_and_reasons(medcam: Callable[..., Ended], called, tmp_path: Path) -> None:
    ended = medcam("evaluate", "errors", "cohort", "--model", "tiny", "--out", tmp_path)
    assert ended.code == 0
    assert called == {"folder": Path("cohort"), "model": "tiny", "out": tmp_path}
    assert "2 evidence on marker or text" in ended.out
    assert "1 little or nothing there: label in doubt" in ended.out
    assert "3 wrong answers on 9 films." in ended.out
    assert str(tmp_path / "index.md") in ended.out
    assert "1 files were passed over" in ended.err


def test_json_holds_everything(medcam: Callable[..., Ended], called) -> None:
    ended = medcam("evaluate", "errors", "cohort", "--json")
    assert json.loads(ended.out) == json.loads(json.dumps(FIGURES.as_dict()))
    assert called["model"] == "phantom"
    assert called["out"] is None


def test_a_folder_without_labels_is_a_wrong_call(medcam: Callable[..., Ended], monkeypatch) -> None:
    def refuse(*_args: object, **_options: object) -> ErrorFigures:
        raise UsageError("no labels", code="no-labels")

    monkeypatch.setattr(service, "evaluate_errors", refuse)
    ended = medcam("evaluate", "errors", "cohort")
    assert ended.code == 2
    assert "no-labels" in ended.err
