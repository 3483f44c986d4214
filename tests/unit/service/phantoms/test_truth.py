"""Truth is read as it was written, and nothing outside its folder is touched."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from medcam.core.finding import ZonesSource
from medcam.core.geometry import Box
from medcam.core.zones import ZONES, Zones
from medcam.dicom import Codec
from medcam.phantom import Case, Phantom, render, sample_case
from medcam.service.phantoms.make_phantoms import make_phantoms
from medcam.service.phantoms.phantom_files import save_phantom
from medcam.service.phantoms.sample_data import sample_films, sample_folder
from medcam.service.phantoms.truth import ZONE_LABELS, FilmTruth, TruthError, read_truth

SIDE = 96
BOX = {"x": 1, "y": 2, "width": 3, "height": 4}


@pytest.fixture(scope="module")
def case() -> Case:
    """One with several findings and distractors."""
    return max((sample_case(9, index, prevalence=0.5) for index in range(30)), key=lambda case: len(case.distractors))


@pytest.fixture(scope="module")
def phantom(case: Case) -> Phantom:
    return render(case, SIDE)


@pytest.fixture(scope="module")
def film(case: Case, phantom: Phantom, tmp_path_factory: pytest.TempPathFactory) -> FilmTruth:
    folder = tmp_path_factory.mktemp("truth")
    record = save_phantom(folder, phantom, case, Codec.RLE)
    (folder / "truth.json").write_text(json.dumps({record["sop_instance_uid"]: record}))
    return read_truth(folder)[record["sop_instance_uid"]]


def write(folder: Path, content: object) -> Path:
    (folder / "truth.json").write_text(json.dumps(content))
    return folder


def entry(**more: object) -> dict[str, Any]:
    return {"findings": [{"name": "Nodule", "box": BOX, "mask": None}], "report": "A nodule.", **more}


def test_findings_come_back_as_they_were_drawn(film: FilmTruth, phantom: Phantom) -> None:
    assert film.names == tuple(truth.name for truth in phantom.truths) != ()
    for read, truth in zip(film.findings, phantom.truths, strict=True):
        assert np.array_equal(read.mask(), truth.mask)
        assert (read.box, read.difficulty, read.side, read.kind) == (
            truth.box,
            truth.difficulty,
            truth.side,
            truth.kind,
        )
        assert read.contrast_to_noise == pytest.approx(truth.contrast_to_noise, abs=1e-4)
        assert read.parameters == pytest.approx(dict(truth.parameters), abs=1e-4)


def test_zones_and_spine_come_back_as_they_were_drawn(film: FilmTruth, phantom: Phantom) -> None:
    drawn = Zones.from_anatomy(phantom.zones, source=ZonesSource.PHANTOM, quality=1.0)
    zones = film.zones()
    assert zones is not None
    assert (zones.source, zones.quality) == (ZonesSource.PHANTOM, 1.0)
    assert all(np.array_equal(zones.masks[name], drawn.masks[name]) for name in ZONES)
    assert np.array_equal(film.spine(), phantom.zones["spine"])


def test_report_file_and_distractors_come_back(film: FilmTruth, phantom: Phantom) -> None:
    assert film.report == phantom.report
    assert film.file_path is not None
    assert film.file_path.is_file()
    assert [(item.kind, item.box) for item in film.distractors] == [
        (item.kind, item.box) for item in phantom.distractors
    ]
    assert film.distractors


def test_truth_crosses_process_borders(film: FilmTruth) -> None:
    assert pickle.loads(pickle.dumps(film)) == film


def test_labels_of_zones_are_fixed() -> None:
    assert ZONE_LABELS["outside-body"] == 0
    assert ZONE_LABELS["right-upper-lung"] == 1
    assert ZONE_LABELS["below-diaphragm"] == 9
    assert ZONE_LABELS["elsewhere-in-body"] == 10
    assert set(ZONE_LABELS) == set(ZONES)


def test_the_least_that_an_entry_needs(tmp_path: Path) -> None:
    (film,) = read_truth(write(tmp_path, {"1.2.3": entry()})).values()
    assert film.sop_instance_uid == "1.2.3"
    assert film.findings[0].box == Box(1, 2, 3, 4)
    assert (film.findings[0].mask(), film.zones(), film.spine()) == (None, None, None)
    assert (film.file_path, film.distractors, film.findings[0].contrast_to_noise) == (None, (), None)


def test_a_folder_without_truth_is_told_with_its_own_code(tmp_path: Path) -> None:
    with pytest.raises(TruthError) as raised:
        read_truth(tmp_path)
    assert raised.value.code == "no-truth"


@pytest.mark.parametrize(
    "content",
    [
        [],
        "text",
        {"1.2": None},
        {"1.2": {"report": ""}},
        {"1.2": {"findings": []}},
        {"1.2": {"findings": [{"box": BOX, "mask": None}], "report": ""}},
        {"1.2": entry(findings=[{"name": "Nodule", "box": {"x": 1}, "mask": None}])},
        {"1.2": entry(findings=[{"name": "Nodule", "box": {**BOX, "width": 0}, "mask": None}])},
        {"1.2": entry(findings=[{"name": "Nodule", "box": {**BOX, "x": float("nan")}, "mask": None}])},
        {"1.2": entry(findings=[{"name": 7, "box": BOX, "mask": None}])},
        {"1.2": entry(findings=["Nodule"])},
        {"1.2": entry(report=None)},
        {"1.2": entry(zones=3)},
        {"1.2": entry(findings=[{"name": "Nodule", "box": BOX, "mask": "../outside.png"}])},
        {"1.2": entry(zones="/etc/hostname")},
        {"1.2": entry(file="a/../../b.dcm")},
        {"1.2": entry(spine="a\0b")},
    ],
)
def test_broken_truth_is_refused_and_names_no_patient(tmp_path: Path, content: object) -> None:
    with pytest.raises(TruthError) as raised:
        read_truth(write(tmp_path, content))
    assert raised.value.code == "bad-truth"
    assert "1.2" not in raised.value.message


@pytest.mark.parametrize("text", ["", "{", "\ud800", "[" * 100_000])
def test_what_is_no_json_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "truth.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(TruthError):
        read_truth(tmp_path)


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "secret.png").write_bytes(b"")
    (tmp_path / "inside" / "mask.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(TruthError, match="leads out"):
        read_truth(write(tmp_path / "inside", {"1": entry(spine="mask.png")}))


def test_masks_that_are_missing_or_no_pictures_are_told_when_they_are_read(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    Image.new("RGB", (4, 4)).save(tmp_path / "colour.png")
    Image.new("L", (4, 4), 77).save(tmp_path / "labels.png")
    for name, match in (("none.png", "missing"), ("text.png", "cannot be read"), ("colour.png", "not a mask")):
        (film,) = read_truth(write(tmp_path, {"1": entry(spine=name)})).values()
        with pytest.raises(TruthError, match=match):
            film.spine()
    (film,) = read_truth(write(tmp_path, {"1": entry(zones="labels.png")})).values()
    with pytest.raises(TruthError, match="not a picture of zones"):
        film.zones()


def test_a_plan_is_no_truth(tmp_path: Path) -> None:
    make_phantoms(tmp_path, 1, 3, size=SIDE, prevalence=0.0)
    (film,) = read_truth(tmp_path).values()
    assert film.names == ()


def test_the_sample_films_cover_what_phantoms_can_have() -> None:
    truth = read_truth(sample_folder())
    assert {film.file_path for film in truth.values()} == set(sample_films())
    names = [name for film in truth.values() for name in film.names]
    assert len(set(names)) == 8
    assert sum(not film.names for film in truth.values()) >= 2
    assert max(len(film.names) for film in truth.values()) >= 2
    for film in truth.values():
        zones = film.zones()
        assert zones is not None
        for finding in film.findings:
            mask = finding.mask()
            assert mask is not None
            assert mask.shape == zones.masks["heart"].shape
            assert Box.around(mask) == finding.box


def test_the_sample_films_are_small_enough_to_ship() -> None:
    assert sum(path.stat().st_size for path in sample_folder().rglob("*") if path.is_file()) < 12_000_000
