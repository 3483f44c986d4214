"""Films that a random network can tell apart, and a place for probes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from medcam.dicom import DxAttributes, save_dx

COUNT = 8


def _film(bright: bool, number: int) -> np.ndarray:
    rng = np.random.default_rng([int(bright), number])
    pixels = rng.normal(1500.0, 120.0, (96, 96))
    if bright:
        row, column = rng.integers(20, 60, 2)
        pixels[row : row + 24, column : column + 24] += 1800.0
    return np.clip(pixels, 0, 4095).astype(np.uint16)


@pytest.fixture(scope="session")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders `with` and `without`: eight films each, with a bright square and without."""
    root = tmp_path_factory.mktemp("probe")
    for name in ("with", "without"):
        (root / name).mkdir()
        for number in range(COUNT):
            attributes = DxAttributes(seed=f"probe-{name}-{number}", window=(2048, 4096))
            save_dx(root / name / f"{number}.dcm", _film(name == "with", number), attributes)
    return root


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's model folder, empty."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "medcam" / "models"
