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
from medcam.experiments.bench.performance import page as performance_page
from medcam.experiments.bench.performance import parts as parts_module
from medcam.experiments.bench.performance import run as performance_run
from medcam.experiments.bench.performance.parts import Part

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


def bare(*words):
    return CliRunner().invoke(app, ["bench", *words])


@pytest.fixture
def parts(monkeypatch):
    """Two parts that measure nothing on a machine that is always quiet, and how often each was asked."""
    monkeypatch.setattr(performance_run, "load_average", lambda: 0.0)
    asked_for = []

    def part(name, *, in_quick=True):
        def run(plan):
            asked_for.append((name, plan.quick))
            return {"name": name}

        return Part(
            name,
            f"Part {name}",
            run,
            lambda found: [Figure(f"{found['name']}/ratio", 2.0, "", 3, 1.0, 1.5, 2.5)],
            lambda found: [(found["name"], ">= 1", "2", "yes")],
            lambda found: f"About {found['name']}.",
            in_quick=in_quick,
        )

    made = (part("one"), part("two"), part("long", in_quick=False))
    for module in (parts_module, performance_run, performance_page):
        monkeypatch.setattr(module, "PARTS", made)
    monkeypatch.setattr(parts_module, "PART_NAMES", ("one", "two", "long"))
    monkeypatch.setattr(performance_page.write_page, "__defaults__", (made,))
    monkeypatch.setattr(performance_page.page_text, "__defaults__", (made,))
    monkeypatch.setattr(performance_run.figures_of, "__defaults__", (made,))
    return asked_for


def test_bare_bench_measures_all_parts_and_prints_them(parts):
    done = bare("--quick", "--json")

    assert done.exit_code == 0, done.output
    assert [one["name"] for one in json.loads(done.stdout)] == ["one/ratio", "two/ratio"]
    assert parts == [("one", True), ("two", True)]
    assert "medcam bench --only long" in done.stderr
    parts.clear()
    assert bare("--quick", "--only", "long").exit_code == 0
    assert parts == [("long", True)]


def test_a_part_alone_is_measured_again_and_the_page_keeps_the_others(parts, tmp_path):
    page = tmp_path / "page.md"
    assert bare("--page", str(page)).exit_code == 0
    assert bare("--only", "two", "--quick", "--page", str(page)).exit_code == 0

    assert parts == [("one", False), ("two", False), ("long", False), ("two", True)]
    text = page.read_text()
    assert "About one." in text
    assert "`medcam bench --only one --write-page`" in text
    assert "`medcam bench --only two --quick --write-page`" in text


def test_a_record_is_shown_with_nothing_measured(parts, tmp_path):
    assert bare("--page", str(tmp_path / "page.md")).exit_code == 0
    parts.clear()
    done = bare("--from", str(tmp_path / "figures" / "page.json"), "--json")

    assert [one["ratio"] for one in json.loads(done.stdout)] == [2.0] * 3
    assert parts == []


def test_what_cannot_be_done_is_refused_before_anything_is_measured(parts, tmp_path):
    calls = {
        "no-such-part": ("--only", "three"),
        "output-not-writable": ("--page", str(tmp_path / "absent" / "page.md")),
        "bench-record": ("--from", str(tmp_path / "absent.json")),
    }
    for code, words in calls.items():
        done = bare(*words)
        assert isinstance(done.exception, UsageError)
        assert done.exception.code == code
    assert parts == []
