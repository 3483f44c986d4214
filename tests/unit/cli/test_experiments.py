"""`medcam experiments`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from medcam.experiments import every
from medcam.experiments.budget import Budget
from medcam.experiments.experiment import Experiment, Figures, Line, Page, Setting

from .conftest import Ended


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> list[Setting]:
    """One experiment in the place of all; what it was run with."""
    seen: list[Setting] = []

    def run(setting: Setting) -> Figures:
        seen.append(setting)
        setting.report("a step")
        return {"n": 1}

    only = Experiment("one", "One thing", run, lambda _: Page("Body."), lambda _: [Line("L1", "w", "h", "p")])
    monkeypatch.setattr(every, "EXPERIMENTS", (only,))
    monkeypatch.setattr(every, "ON_REAL_FILMS", ())
    return seen


def test_pages_are_written_and_the_summary_is_named(
    medcam: Callable[..., Ended], settings: list[Setting], tmp_path: Path
) -> None:
    ended = medcam("experiments", "--quick", "--seed", 4, "--out", tmp_path / "o", "--work", tmp_path / "w")
    assert ended.code == 0
    assert ended.out.strip() == str(tmp_path / "o" / "README.md")
    assert "one: a step" in ended.err
    assert (settings[0].budget, settings[0].seed) == (Budget.QUICK, 4)
    assert (tmp_path / "o" / "one.md").read_text().startswith("# One thing\n\nBody.\n")


def test_experiments_are_listed(medcam: Callable[..., Ended], settings: list[Setting]) -> None:
    assert medcam("experiments", "--list").out == "one: One thing\n"
    assert not settings


def test_wrong_calls(medcam: Callable[..., Ended], settings: list[Setting], tmp_path: Path) -> None:
    assert medcam("experiments", "--quick", "--slice", "--out", tmp_path).code == 2
    assert medcam("experiments", "--only", "nothing", "--out", tmp_path).code == 2
    assert not settings
