"""The gate is measured on whatever films a folder holds; what cannot be read is counted apart."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medcam.core.errors import ModelError
from medcam.models.registry import load_model
from medcam.service.measure.gate import measure_gate


def test_every_film_of_a_folder_is_scored(strict_model_folder: Path, phantom_dicom: Path, tmp_path: Path) -> None:
    films = Path(shutil.copytree(phantom_dicom, tmp_path / "films"))
    noise = np.random.default_rng(0).integers(0, 255, (40, 50), dtype=np.uint8)
    Image.fromarray(noise).save(films / "picture.png")
    (films / "broken.dcm").write_bytes(b"")
    result = measure_gate(load_model(strict_model_folder), films)
    assert (result["films"], result["unreadable"]) == (4, 1)
    assert result["flagged"] == {"value": 1.0, "low": pytest.approx(0.51, abs=0.01), "high": 1.0}


def test_a_folder_without_films_has_no_share(strict_model_folder: Path, tmp_path: Path) -> None:
    assert "flagged" not in measure_gate(load_model(strict_model_folder), tmp_path)


def test_a_model_without_a_gate_is_refused(tiny_model_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError) as raised:
        measure_gate(load_model(tiny_model_folder), tmp_path)
    assert raised.value.code == "no-gate"
