"""`medcam bench dashboard`: what is asked for is what is measured, and what was measured is printed."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from medcam.cli.main import app
from medcam.core.errors import UsageError
from medcam.experiments.bench.dashboard import page as page_module
from medcam.experiments.bench.dashboard import run as run_module
from medcam.experiments.bench.dashboard.plan import BenchPlan
from medcam.experiments.bench.figure import Figure

FIGURES = (
    Figure("rerun/sqlite/thinking/p95", 75.0, "ms", 900, 150.0, 70.0, 80.0),
    Figure("none", float("nan"), "ms", 0),
)


@pytest.fixture
def asked(monkeypatch):
    """The plans that were measured, with nothing measured."""
    plans = []

    def run(plan, *, store, report):
        plans.append((plan, store))
        report("measuring")
        return SimpleNamespace(figures=FIGURES)

    monkeypatch.setattr(run_module, "run_dashboard_bench", run)
    return plans


def call(*words):
    return CliRunner().invoke(app, ["bench", "dashboard", *words])


def test_figures_are_printed_as_json(asked):
    done = call("--quick", "--json")

    assert done.exit_code == 0, done.output
    [first, second] = json.loads(done.stdout)
    assert {"name", "value", "unit", "baseline", "ratio", "n"} <= set(first)
    assert (first["value"], first["ratio"]) == (75.0, 0.5)
    assert second["value"] is None
    assert asked == [(BenchPlan().quicker(), None)]


def test_a_table_is_printed_and_options_change_the_plan(asked):
    done = call("--readers", "3", "--reruns", "50", "--think", "2", "--store", "folder")

    assert "rerun/sqlite/thinking/p95" in done.stdout
    assert "70.00 to 80.00" in done.stdout
    [(plan, store)] = asked
    assert (plan.readers, plan.reruns, plan.think, plan.seconds) == (3, 50, 2.0, BenchPlan().seconds)
    assert store == "folder"


def test_the_page_says_how_it_is_made_again(asked, tmp_path, monkeypatch):
    commands = []
    monkeypatch.setattr(page_module, "write_page", lambda found, path, command: commands.append(command))
    page = tmp_path / "page.md"

    assert call("--quick", "--readers", "7", "--page", str(page)).exit_code == 0
    assert commands == [f"medcam bench dashboard --quick --readers=7 --page {page}"]


def test_a_page_without_a_folder_is_refused_before_anything_is_measured(asked, tmp_path):
    done = call("--page", str(tmp_path / "absent" / "page.md"))

    assert isinstance(done.exception, UsageError)
    assert done.exception.code == "output-not-writable"
    assert asked == []
