"""Films as `medcam annotate` leaves them on the disk, without a model, and the pages on the import path."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from medcam.core.activation import ActivationMap
from medcam.core.codes import CodedConcept
from medcam.core.explanation import Engine, Explanation, ModelReference, OutOfDistribution, Source
from medcam.core.finding import Evidence, Finding, Point, Region, ZonesSource
from medcam.core.geometry import Box, GridTransform
from medcam.core.radiograph import Identity
from medcam.overlay.png import save_png
from medcam.service.annotate.pictures import overlay_name
from medcam.service.explanations.explanation_json import write_explanation

PAGES = Path(__file__).resolve().parents[3] / "dashboards"
sys.path.insert(0, str(PAGES))
"""As Streamlit does: the pages import each other by the names of their files."""

BIAS, SIDE = -1.5, 4


@dataclass(frozen=True)
class Said:
    """What a model says about one finding, and whether its picture is drawn."""

    name: str
    probability: float
    threshold: float = 0.5
    withheld: bool = False
    zones: bool = False
    drawn: bool = True


@dataclass(frozen=True)
class Film:
    """What a film's results shall hold."""

    findings: tuple[Said, ...]
    view: str = "PA"
    ood: OutOfDistribution = field(default_factory=lambda: OutOfDistribution(1.0, 2.0, False))
    warnings: tuple[str, ...] = ()


WriteFilm = Callable[..., Path]


@pytest.fixture
def said() -> type[Said]:
    return Said


@pytest.fixture
def film() -> type[Film]:
    return Film


@pytest.fixture
def write_film(tmp_path: Path) -> WriteFilm:
    """Writes a film, named by a number, into the results folder `tmp_path / "out"`; returns its own folder."""

    def write(number: int, film: Film) -> Path:
        folder = tmp_path / "out" / f"{number:016x}" / f"{number + 1:016x}"
        folder.mkdir(parents=True)
        for said in film.findings:
            if said.drawn:
                save_png(folder / overlay_name(said.name), np.full((24, 32, 3), 90, np.uint8))
        write_explanation(folder / "explanation.json", _explanation(film))
        return folder

    return write


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The results folder, empty at first."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def _explanation(film: Film) -> Explanation:
    return Explanation(
        source=Source(Identity("1.2.3", "1.2", "1.2.1", "1.2.0"), 320, 240, "ab" * 32, film.view),
        model=ModelReference("tiny", "0.1", "cd" * 32),
        engine=Engine(),
        method="cam",
        findings=tuple(map(_finding, film.findings)),
        out_of_distribution=film.ood,
        warnings=film.warnings,
        software={"medcam": "0.1.0"},
    )


def _finding(said: Said) -> Finding:
    logit = math.log(said.probability / (1.0 - said.probability))
    # Half of the cells speak for the finding and half against it; bias and mean add up to the logit.
    mean = logit - BIAS
    values = np.full((SIDE, SIDE), -1.0, np.float32)
    values[: SIDE // 2] = 2.0 * mean + 1.0
    positive, negative = (float(side.sum()) / values.size for side in (values.clip(min=0), values.clip(max=0)))
    region = Region(Box(10, 20, 60, 80), Point(40, 50), 0.75, (Point(10, 20), Point(70, 20), Point(70, 100)), "paper")
    return Finding(
        name=said.name,
        code=CodedConcept("427359005", "SCT", "Solitary nodule of lung") if said.name == "Nodule" else None,
        probability=said.probability,
        logit=logit,
        threshold=said.threshold,
        present=None if said.withheld else said.probability >= said.threshold,
        map=ActivationMap(values, BIAS, GridTransform(320, 240, SIDE, SIDE, SIDE / 320, SIDE / 240), layer="layer4"),
        evidence=Evidence(
            BIAS,
            positive,
            negative,
            {"heart": positive, "right-upper-lung": negative} if said.zones else None,
            ZonesSource.PHANTOM if said.zones else ZonesSource.NONE,
            1.0 if said.zones else None,
        ),
        regions=(region,) if said.probability >= said.threshold else (),
    )
