"""A folder of films, options of a run, and a registration that each film needs once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from medcam.core.radiograph import Radiograph
from medcam.core.zones import Zones
from medcam.service.annotate import stages as annotate_stages
from medcam.service.annotate.options import AnnotateOptions


@pytest.fixture(scope="module")
def known_zones() -> dict[bytes, Zones]:
    return {}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, known_zones: dict[bytes, Zones]) -> None:
    """Small pictures, and one registration for each film of this module instead of one for each run."""
    find_zones = annotate_stages.find_zones

    def remembered(radiograph: Radiograph) -> Zones:
        key = radiograph.pixels.tobytes()
        if key not in known_zones:
            known_zones[key] = find_zones(radiograph)
        return known_zones[key]

    monkeypatch.setattr(annotate_stages, "find_zones", remembered)
    monkeypatch.setattr(annotate_stages, "PICTURE_SIDE", 96)


@pytest.fixture
def options(tiny_model_folder: Path) -> AnnotateOptions:
    return AnnotateOptions(model=str(tiny_model_folder), workers=2)


@pytest.fixture
def films(phantom_dicom: Path, tmp_path: Path) -> Path:
    """A folder of its own with the three phantoms."""
    return Path(shutil.copytree(phantom_dicom, tmp_path / "films"))
