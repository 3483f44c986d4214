"""How maps add up, and what they cost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from medcam.core.explanation import Explanation
from medcam.models.registry import load_model
from medcam.service.evaluation.cohort import Cohort
from medcam.service.evaluation.explained_films import ExplainedFilm
from medcam.service.measure import ledger
from medcam.service.measure.ledger import cost_figures, ledger_figures
from medcam.service.phantoms.make_phantoms import make_phantoms


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    folder = tmp_path_factory.mktemp("cohort")
    make_phantoms(folder, 2, 23, size=96)
    return Cohort(folder)


def test_maps_and_ledgers_of_a_gap_model_add_up(cohort: Cohort, tiny_model_folder: Path) -> None:
    figures = ledger_figures(cohort, load_model(tiny_model_folder))
    assert figures.films == 2
    assert figures.findings == 16
    assert figures.map_difference < 1e-4
    assert figures.ledger_difference < 1e-4


def test_a_ledger_that_does_not_add_up_shows(
    cohort: Cohort, tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def skewed(films: Cohort, model: object) -> list[ExplainedFilm]:
        return [replace(one, explanation=_skewed(one.explanation)) for one in honest(films, model)]

    def _skewed(explanation: Explanation) -> Explanation:
        first, *rest = explanation.findings
        return replace(explanation, findings=(replace(first, logit=first.logit + 0.5), *rest))

    honest = ledger.explained_films
    monkeypatch.setattr(ledger, "explained_films", skewed)
    figures = ledger_figures(cohort, load_model(tiny_model_folder))
    assert figures.map_difference == pytest.approx(0.5, abs=1e-3)
    assert figures.ledger_difference == pytest.approx(0.5, abs=1e-3)


def test_cost_is_a_ratio_of_times_taken_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(1000))  # a clock that ticks once per reading: every pass takes as long
    monkeypatch.setattr(ledger.time, "perf_counter", lambda: next(now))
    figures = cost_figures(1, 32, 4, threads=1)
    assert (figures.repeats, figures.plain_ms) == (4, 1000.0)
    assert (figures.ratio.low, figures.ratio.value, figures.ratio.high) == (1.0, 1.0, 1.0)
