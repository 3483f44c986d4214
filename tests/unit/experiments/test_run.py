"""Experiments are measured once, kept, and written from what was kept."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from medcam.core.errors import UsageError
from medcam.experiments.budget import Budget
from medcam.experiments.every import EXPERIMENTS, chosen
from medcam.experiments.experiment import Experiment, Figures, Line, Page, Setting
from medcam.experiments.run import run_experiments


class Counted:
    """An experiment that counts how often it was run."""

    def __init__(self, name: str, row: str) -> None:
        self.runs = 0
        self.experiment = Experiment(name, f"About {name}", self._run, self._page, self._summary)
        self._row = row

    def _run(self, setting: Setting) -> Figures:
        self.runs += 1
        setting.report("half way")
        return {"seed": setting.seed, "none": math.nan, "pair": (1, 2)}

    def _page(self, figures: Figures) -> Page:
        assert math.isnan(figures["none"])
        assert figures["pair"] == [1, 2]
        return Page(f"Seed {figures['seed']}.", {f"{self.experiment.name}.svg": "<svg/>"})

    def _summary(self, figures: Figures) -> list[Line]:
        return [Line(self._row, "what", f"seed {figures['seed']}", "that")]


@pytest.fixture
def pair() -> tuple[Counted, Counted]:
    return Counted("late", "L10"), Counted("early", "L2")


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(Budget.QUICK, 0, tmp_path / "work")


def test_what_is_finished_is_not_measured_again(
    pair: tuple[Counted, Counted], setting: Setting, tmp_path: Path
) -> None:
    every = [each.experiment for each in pair]
    pages = []
    for _ in range(2):
        summary = run_experiments(every, every, setting, tmp_path / "out")
        pages.append({path.name: path.read_text() for path in sorted((tmp_path / "out").glob("*.*"))})
    assert [each.runs for each in pair] == [1, 1]
    assert pages[0] == pages[1]
    assert set(pages[0]) == {"README.md", "late.md", "late.svg", "early.md", "early.svg"}
    assert "medcam experiments --only late --quick\n" in pages[0]["late.md"]
    text = summary.read_text()
    assert text.index("| L2 |") < text.index("| L10 |")


def test_other_seeds_and_budgets_are_measured_anew(
    pair: tuple[Counted, Counted], setting: Setting, tmp_path: Path
) -> None:
    late = pair[0]
    for other in (setting, replace(setting, seed=3), replace(setting, seed=3, budget=Budget.FULL)):
        run_experiments([late.experiment], [late.experiment], other, tmp_path)
    assert late.runs == 3
    assert "Seed 3." in (tmp_path / "late.md").read_text()
    assert "medcam experiments --only late --seed 3\n" in (tmp_path / "late.md").read_text()


def test_again_measures_what_is_finished(pair: tuple[Counted, Counted], setting: Setting, tmp_path: Path) -> None:
    late = pair[0]
    run_experiments([late.experiment], [late.experiment], setting, tmp_path)
    run_experiments([late.experiment], [late.experiment], setting, tmp_path, again=True)
    assert late.runs == 2


def test_the_summary_keeps_the_rows_of_experiments_that_were_not_asked_for(
    pair: tuple[Counted, Counted], setting: Setting, tmp_path: Path
) -> None:
    every = [each.experiment for each in pair]
    run_experiments([every[0]], every, setting, tmp_path)
    summary = run_experiments([every[1]], every, setting, tmp_path)
    assert "| L2 |" in summary.read_text()
    assert "| L10 |" in summary.read_text()


def test_what_the_lecture_does_not_have_stands_below_it_with_its_budget(setting: Setting, tmp_path: Path) -> None:
    both = [Counted("late", "L10").experiment, Counted("drift", "").experiment]
    text = run_experiments(both, both, setting, tmp_path).read_text()
    lecture, beyond = text.split("## Beyond the lecture")
    assert "| L10 |" in lecture
    assert "About drift" not in lecture
    assert "| what | seed 0 | quick | [About drift](drift.md) |" in beyond


def test_the_summary_has_a_row_of_every_experiment_on_record() -> None:
    folder = Path(__file__).parents[3] / "docs" / "experiments"
    text = (folder / "README.md").read_text(encoding="utf-8")
    missing = [path.stem for path in (folder / "figures").glob("*.json") if f"({path.stem}.md)" not in text]
    assert missing == []


def test_time_of_a_stopped_run_counts(pair: tuple[Counted, Counted], setting: Setting, tmp_path: Path) -> None:
    late = pair[0]
    setting.work.mkdir()
    (setting.work / "late-quick-0.seconds").write_text("600.0")
    run_experiments([late.experiment], [late.experiment], setting, tmp_path)
    seconds = json.loads((tmp_path / "figures" / "late.json").read_text())["seconds"]
    assert 600.0 <= seconds < 700.0


def test_a_damaged_record_is_named(pair: tuple[Counted, Counted], setting: Setting, tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "late.json").write_text("{}")
    with pytest.raises(UsageError, match=r"late\.json is no record"):
        run_experiments([pair[0].experiment], [pair[0].experiment], setting, tmp_path)


def test_a_folder_that_cannot_be_made_is_an_error(
    pair: tuple[Counted, Counted], setting: Setting, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError) as error:
        run_experiments([pair[0].experiment], [pair[0].experiment], setting, tmp_path / "file" / "out")
    assert error.value.code == "output-not-writable"


def test_experiments_are_chosen_by_name() -> None:
    assert chosen(()) == EXPERIMENTS
    assert chosen([EXPERIMENTS[-1].name]) == (EXPERIMENTS[-1],)
    assert len({each.name for each in EXPERIMENTS}) == len(EXPERIMENTS)
    with pytest.raises(UsageError, match="no experiment 'nothing'"):
        chosen(["nothing"])


def test_every_seed_measures_on_other_films() -> None:
    first, second = (Budget.FULL.comparison(seed) for seed in (0, 1))
    assert first.test_seed != second.test_seed
    assert replace(first, test_seed=second.test_seed) == second
