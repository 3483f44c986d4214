"""The demo: found set beside there."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medcam.core.activation import ActivationMap
from medcam.core.errors import InputError, MedcamError
from medcam.core.explanation import Engine, Explanation, ModelReference, OutOfDistribution, Source
from medcam.core.finding import Finding, Point, Region
from medcam.core.geometry import Box, GridTransform
from medcam.core.radiograph import Identity
from medcam.service import demo
from medcam.service.annotate.options import AnnotateOptions
from medcam.service.demo import compare_film, run_demo
from medcam.service.phantoms import sample_data
from medcam.service.phantoms.make_phantoms import make_phantoms
from medcam.service.phantoms.truth import TrueFinding, read_truth

SIDE = 80


def finding(name: str, *, at: tuple[int, int], present: bool, box: Box | None = None) -> Finding:
    """A finding whose map of 8 x 8 cells over a film of 80 x 80 pixels peaks in the cell (row, column)."""
    values = np.zeros((8, 8), np.float32)
    values[at] = 1.0
    transform = GridTransform.identity(SIDE, SIDE).resize(8, 8)
    regions = (Region(box, Point(box.x, box.y), 1.0),) if box else ()
    return Finding(name, None, 0.7, 0.8, 0.5, present, ActivationMap(values, 0.0, transform), None, regions)


def explanation(*findings: Finding) -> Explanation:
    source = Source(Identity("1.2"), SIDE, SIDE, "")
    return Explanation(
        source, ModelReference("m", "1", ""), Engine(), "cam", findings, OutOfDistribution(None, None, False)
    )


def test_a_peak_is_judged_by_the_mask_and_by_the_box_without_one(tmp_path: Path) -> None:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    mask[20:30, 50:60] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    wide = Box(0, 0, SIDE, SIDE)
    for at, inside in (((2, 5), True), ((5, 2), False)):
        found = explanation(finding("Nodule", at=at, present=True, box=Box(50, 20, 10, 10)))
        [row] = compare_film("film.dcm", found, [TrueFinding("Nodule", wide, tmp_path / "mask.png")])
        assert row.peak_inside is inside
        assert row.iou == pytest.approx(100 / SIDE**2)
        [by_box] = compare_film("film.dcm", found, [TrueFinding("Nodule", Box(40, 20, 30, 30))])
        assert by_box.peak_inside is inside


def test_rows_are_what_is_found_or_there() -> None:
    found = explanation(
        finding("found and there", at=(0, 0), present=True),
        finding("found only", at=(0, 0), present=True),
        finding("there only", at=(0, 0), present=False),
        finding("neither", at=(0, 0), present=False),
    )
    box = Box(0, 0, 10, 10)
    rows = list(compare_film("f", found, [TrueFinding("there only", box), TrueFinding("found and there", box)]))
    assert [(row.finding, row.present, row.true) for row in rows] == [
        ("found and there", True, True),
        ("found only", True, False),
        ("there only", False, True),
    ]
    assert [row.iou for row in rows] == [None, None, None]
    assert rows[1].peak_inside is None


def test_truth_that_the_model_does_not_know_is_told() -> None:
    with pytest.raises(InputError) as caught:
        list(compare_film("f", explanation(), [TrueFinding("Gout", Box(0, 0, 1, 1))]))
    assert caught.value.code == "bad-truth"


def test_the_demo_annotates_the_sample_films_alone(
    tmp_path: Path, tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = tmp_path / "sample_data"
    make_phantoms(samples, 2, 5, size=128)
    for module in (demo, sample_data):
        monkeypatch.setattr(module, "sample_folder", lambda: samples)
    result = run_demo(tmp_path / "out", AnnotateOptions(model=str(tiny_model_folder), workers=1))

    assert (result.manifest.counts.annotated, result.manifest.counts.total) == (2, 2)
    truths = read_truth(samples).values()
    there = sorted(finding.name for truth in truths for finding in truth.findings)
    assert sorted(row.finding for row in result.rows if row.true) == there
    assert all((row.peak_inside is None) is not row.true for row in result.rows)
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["counts"]["annotated"] == 2


def test_absent_sample_data_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_data.medcam, "__file__", str(tmp_path / "medcam" / "__init__.py"))
    with pytest.raises(MedcamError) as caught:
        sample_data.sample_films()
    assert caught.value.code == "no-sample-data"
