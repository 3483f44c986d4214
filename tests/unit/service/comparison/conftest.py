"""The films of a comparison that takes seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from medcam.service.comparison.films import ComparisonFilms, ComparisonPlan, comparison_films

PLAN = ComparisonPlan(patients=12, held=10, side=64, epochs=1, seeds=(0, 1), prevalence=0.4)


@pytest.fixture(scope="session")
def plan() -> ComparisonPlan:
    """One epoch of two runs."""
    return PLAN


@pytest.fixture(scope="session")
def comparison_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where films and runs are kept."""
    return tmp_path_factory.mktemp("comparison")


@pytest.fixture(scope="session")
def films(plan: ComparisonPlan, comparison_folder: Path) -> ComparisonFilms:
    """The plan's films."""
    return comparison_films(plan, comparison_folder / "films")
