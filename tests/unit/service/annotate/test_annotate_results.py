"""What a run writes, and what it says of every input."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
from run_files import edited, folders, refusals

from medcam.core.radiograph import Identity
from medcam.models.cards import DEFAULT_MODEL
from medcam.service.annotate.options import AnnotateOptions, Output
from medcam.service.annotate.run import annotate
from medcam.service.annotate.tally import Progress
from medcam.service.explanations.explanation_json import read_explanation


def test_writes_an_explanation_and_pictures_for_each_film(
    films: Path, tmp_path: Path, options: AnnotateOptions
) -> None:
    out = tmp_path / "new" / "out"
    seen: list[Progress] = []
    manifest = annotate([films], out, options, seen.append)

    assert (manifest.counts.annotated, manifest.counts.total) == (3, 3)
    assert [(now.done, now.total) for now in seen] == [(1, 3), (2, 3), (3, 3)]
    assert set(folders(manifest, out)) == {"film-0.dcm", "film-1.dcm", "film-2.dcm"}
    for source, folder in folders(manifest, out).items():
        identity = read_explanation(folder / "explanation.json").source.identity
        assert identity.sop_instance_uid == pydicom.dcmread(films / source).SOPInstanceUID
        names = (Identity.folder_name(identity.study_instance_uid), Identity.folder_name(identity.sop_instance_uid))
        assert folder == out / names[0] / names[1]
        assert list(folder.glob("overlay-*.png"))
    assert not list(out.rglob("*.part"))


def test_the_manifest_accounts_for_every_input_and_names_no_machine_path(
    films: Path, tmp_path: Path, options: AnnotateOptions
) -> None:
    (films / "notes.txt").write_text("nothing to see")
    manifest = annotate([films], tmp_path / "out", options)
    text = (tmp_path / "out" / "manifest.json").read_text()
    written = json.loads(text)
    assert written == manifest.to_dict()
    assert written["counts"] == {"annotated": 3, "skipped": 1, "quarantined": 0, "duplicate": 0}
    assert written["skipped"][0]["source"] == "notes.txt"
    assert written["skipped"][0]["code"] == "not-dicom"
    assert written["model"]["name"] == "tiny"
    assert len(written["model"]["weights_sha256"]) == 64
    assert "Not a medical device" in written["notice"]
    assert str(tmp_path) not in text
    assert "NEVERSHOWN" not in text


def test_no_patient_name_reaches_a_file_name_or_text(films: Path, tmp_path: Path, options: AnnotateOptions) -> None:
    annotate([films], tmp_path / "out", options)
    for path in (tmp_path / "out").rglob("*"):
        assert "NEVERSHOWN" not in str(path)
        assert path.is_dir() or b"NEVERSHOWN" not in path.read_bytes()


def test_rubbish_never_stops_the_rest(films: Path, tmp_path: Path, options: AnnotateOptions) -> None:
    whole = (films / "film-0.dcm").read_bytes()
    rubbish = films / "a" / "deep"
    rubbish.mkdir(parents=True)
    (rubbish / "cut.dcm").write_bytes(whole[: len(whole) // 2])
    (rubbish / "empty.dcm").write_bytes(b"")
    (rubbish / "random.dcm").write_bytes(np.random.default_rng(1).bytes(5000))
    (rubbish / "renamed.dcm").write_text("This is a letter to the referring physician.")
    (rubbish / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    (rubbish / "header-only.dcm").write_bytes(whole[:700])
    (films / "again.dcm").write_bytes(whole)
    (films / "dangling.dcm").symlink_to(films / "nowhere")
    edited(films / "film-1.dcm", films / "other-pixels.dcm", WindowCenter="12")

    out = tmp_path / "out"
    manifest = annotate([films], out, options)
    assert manifest.counts.total == 12
    assert manifest.counts.annotated == 3
    assert manifest.counts.duplicate == 1
    assert {item.source for item in manifest.skipped} == {"a/deep/picture.png"}
    codes = refusals(out)
    assert codes.pop("a/deep/cut.dcm") == "truncated-pixel-data"
    assert codes.pop("a/deep/empty.dcm") == "empty-file"
    assert codes.pop("a/deep/renamed.dcm") == "not-dicom"
    assert codes.pop("other-pixels.dcm") == "duplicate-uid"
    assert set(codes) == {"a/deep/random.dcm", "a/deep/header-only.dcm", "dangling.dcm"}
    assert "internal-error" not in codes.values()
    assert manifest.quarantined == 7


def test_a_broken_copy_does_not_keep_the_whole_one_out(films: Path, tmp_path: Path, options: AnnotateOptions) -> None:
    dataset = pydicom.dcmread(films / "film-0.dcm")
    dataset.PixelData = dataset.PixelData[:100]
    dataset.save_as(films / "a-broken-copy.dcm")

    manifest = annotate([films], tmp_path / "out", options)
    assert "film-0.dcm" in folders(manifest, tmp_path / "out")
    assert refusals(tmp_path / "out") == {"a-broken-copy.dcm": "truncated-pixel-data"}


def test_the_same_uid_with_other_content_is_refused_even_while_the_first_is_under_way(
    films: Path, tmp_path: Path, options: AnnotateOptions
) -> None:
    for number in range(3):
        edited(films / "film-0.dcm", films / f"film-0-copy-{number}.dcm", WindowCenter=str(10 + number))
    manifest = annotate([films], tmp_path / "out", options)
    names = {"film-0.dcm", *(f"film-0-copy-{number}.dcm" for number in range(3))}
    kept = names & set(folders(manifest, tmp_path / "out"))
    # Files come in the order of their names, and "film-0-copy-0.dcm" is before "film-0.dcm".
    assert kept == {"film-0-copy-0.dcm"}
    assert refusals(tmp_path / "out") == dict.fromkeys(sorted(names - kept), "duplicate-uid")


def test_films_known_not_to_be_frontal_chest_films_are_skipped(
    films: Path, tmp_path: Path, options: AnnotateOptions
) -> None:
    edited(films / "film-0.dcm", films / "film-0.dcm", ViewPosition="LL", ViewCodeSequence=[])
    edited(films / "film-1.dcm", films / "film-1.dcm", BodyPartExamined="HAND", AnatomicRegionSequence=[])
    manifest = annotate([films], tmp_path / "out", options)
    assert {item.source: item.code for item in manifest.skipped} == {
        "film-0.dcm": "not-frontal",
        "film-1.dcm": "not-a-chest",
    }


def test_an_object_without_pixels_is_skipped(films: Path, tmp_path: Path, options: AnnotateOptions) -> None:
    dataset = pydicom.dcmread(films / "film-0.dcm")
    del dataset.PixelData
    del dataset.Rows
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.11"
    dataset.save_as(films / "film-0.dcm")
    manifest = annotate([films], tmp_path / "out", options)
    assert [item.code for item in manifest.skipped] == ["not-an-image"]


def test_flagged_films_are_annotated_and_withheld_unless_allowed(
    films: Path, tmp_path: Path, options: AnnotateOptions, strict_model_folder: Path
) -> None:
    strict = replace(options, model=str(strict_model_folder))
    for allowed in (False, True):
        manifest = annotate([films], tmp_path / "out", replace(strict, allow_out_of_distribution=allowed))
        assert manifest.flagged == manifest.counts.annotated == 3
        for folder in folders(manifest, tmp_path / "out").values():
            explanation = read_explanation(folder / "explanation.json")
            assert {finding.present is None for finding in explanation.findings} == {not allowed}
            assert list(folder.glob("overlay-*.png"))


def test_findings_asked_for_are_drawn_and_no_others(films: Path, tmp_path: Path, options: AnnotateOptions) -> None:
    manifest = annotate([films], tmp_path / "out", replace(options, findings=("Pleural Effusion", "nodule", "NODULE")))
    for folder in folders(manifest, tmp_path / "out").values():
        names = {path.name for path in folder.glob("overlay-*.png")}
        assert names == {"overlay-pleural-effusion.png", "overlay-nodule.png"}


def test_secondary_captures_are_valid_dicom(
    films: Path, tmp_path: Path, options: AnnotateOptions, require_tool: Callable[[str], str]
) -> None:
    validator = require_tool("dciodvfy")
    manifest = annotate([films], tmp_path / "out", replace(options, outputs=(Output.SC,)))
    for source, folder in folders(manifest, tmp_path / "out").items():
        assert not list(folder.glob("*.png"))
        capture = pydicom.dcmread(folder / "sc.dcm")
        film = pydicom.dcmread(films / source)
        assert capture.StudyInstanceUID == film.StudyInstanceUID
        assert capture.PatientID == film.PatientID
        assert capture.SourceImageSequence[0].ReferencedSOPInstanceUID == film.SOPInstanceUID
        said = subprocess.run([validator, folder / "sc.dcm"], capture_output=True, text=True, check=False).stderr
        assert "SCImage" in said
        assert "Error" not in said


def test_a_folder_without_films_is_no_error(tmp_path: Path, options: AnnotateOptions) -> None:
    (tmp_path / "films").mkdir()
    assert annotate([tmp_path / "films"], tmp_path / "out", options).counts.total == 0
    assert (tmp_path / "out" / "manifest.json").exists()


def test_the_default_model_is_the_registrys() -> None:
    assert AnnotateOptions().model == DEFAULT_MODEL
