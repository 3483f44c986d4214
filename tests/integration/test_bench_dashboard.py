"""A load test as small as can be: the real server, three simulated readers, both kinds of database where there are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from medcam.dicom import DxAttributes, save_dx
from medcam.experiments.bench.dashboard.page import page_of
from medcam.experiments.bench.dashboard.plan import BenchPlan
from medcam.experiments.bench.dashboard.run import DashboardBench, run_dashboard_bench

PLAN = BenchPlan(readers=3, studies=200, openable=80, think=0.02, seconds=0.5, reruns=30, repeats=1)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, save_tiny_model: Callable[..., Path]) -> DashboardBench:
    folder = tmp_path_factory.mktemp("bench")
    model = save_tiny_model(folder / "model", "Nodule", "Pleural Effusion")
    films = []
    for number in range(2):
        coarse = np.random.default_rng(number).integers(500, 3500, (8, 8)).astype(np.uint16)
        films.append(folder / f"{number}.dcm")
        attributes = DxAttributes(seed=f"bench-{number}", window=(2048, 4096))
        save_dx(films[-1], np.kron(coarse, np.ones((32, 32), np.uint16)), attributes)
    return run_dashboard_bench(PLAN, films=films, model=str(model))


def test_readers_read_on_both_databases_without_an_error(bench: DashboardBench) -> None:
    names = [one.name for one in bench.measured]
    assert names == (["sqlite"] if bench.missing else ["sqlite", "postgresql"])
    for one in bench.measured:
        assert one.thinking.errors == ()
        assert one.thinking.reruns >= 3
        assert one.thinking.fetches
        assert one.hurried.errors == ()
        assert one.hurried.reruns >= PLAN.reruns
        acts = {act for runs in one.hurried.runs for act, _, _ in runs}
        assert {"open-worklist", "open-study", "answer", "next-study"} <= acts


def test_all_that_was_asked_for_has_a_figure_and_stands_on_the_page(bench: DashboardBench) -> None:
    figures = {figure.name: figure for figure in bench.figures}
    for name in ("rerun/sqlite/thinking/p95", "rerun/sqlite/hurried/rate", "worklist/sqlite/default/p95"):
        assert figures[name].n > 0
        assert figures[name].value > 0.0
    page = page_of(bench, "medcam bench dashboard")
    assert "| answer |" in page
    assert f"{PLAN.studies} studies" in page
