"""A folder of small phantoms with masks, as `medcam phantom make` writes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from medcam.service.phantoms.make_phantoms import make_phantoms

COUNT = 6


@pytest.fixture(scope="session")
def cohort_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six phantoms of 96 pixels with masks and truth."""
    folder = tmp_path_factory.mktemp("cohort")
    make_phantoms(folder, COUNT, 21, size=96, prevalence=0.5)
    return folder
