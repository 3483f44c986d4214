"""DICOM objects beside the explanation: which there are, what they keep, and that they are made once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pydicom
import pytest
from run_files import folders

from medcam.dicom import read_record
from medcam.service.annotate.options import AnnotateOptions, Output
from medcam.service.annotate.run import annotate
from medcam.service.explanations.explanation_json import FILE_NAME, read_explanation

OBJECTS = (Output.SC, Output.SEG, Output.SR, Output.KO, Output.GSPS)
WITH_A_FINDING = {"seg-map.dcm", "ko.dcm", "gsps.dcm"}


def objects(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.dcm")}


def test_each_kind_is_written_where_there_is_something_to_say(
    films: Path, tmp_path: Path, options: AnnotateOptions
) -> None:
    out = tmp_path / "out"
    manifest = annotate([films], out, replace(options, outputs=OBJECTS))
    assert manifest.counts.annotated == 3
    for source, folder in folders(manifest, out).items():
        explanation = read_explanation(folder / FILE_NAME)
        present = [finding.name for finding in explanation.findings if finding.present]
        made = objects(folder)
        assert {"sc.dcm", "sr.dcm"} <= set(made)
        assert (set(made) & WITH_A_FINDING) == (WITH_A_FINDING if present else set())
        film = pydicom.dcmread(films / source)
        assert {pydicom.dcmread(folder / name).StudyInstanceUID for name in made} == {film.StudyInstanceUID}
        if present:
            maps = pydicom.dcmread(folder / "seg-map.dcm")
            assert [segment.SegmentLabel for segment in maps.SegmentSequence] == present
            assert (maps.Rows, maps.Columns) == (film.Rows, film.Columns)


def test_the_report_holds_the_explanation_as_it_was_written(
    films: Path, tmp_path: Path, options: AnnotateOptions
) -> None:
    out = tmp_path / "out"
    manifest = annotate([films], out, replace(options, outputs=(Output.SR,)))
    for folder in folders(manifest, out).values():
        kept = tmp_path / "kept.json"
        kept.write_bytes(read_record(pydicom.dcmread(folder / "sr.dcm")))
        ours, theirs = read_explanation(folder / FILE_NAME), read_explanation(kept)
        assert ours.created == theirs.created
        for mine, other in zip(ours.findings, theirs.findings, strict=True):
            assert (mine.map.values == other.map.values).all()
            assert (mine.logit, mine.regions, mine.evidence) == (other.logit, other.regions, other.evidence)


@pytest.mark.parametrize("resume", [True, False])
def test_an_object_is_never_made_a_second_time_under_the_same_uid(
    films: Path, tmp_path: Path, options: AnnotateOptions, resume: bool
) -> None:
    out = tmp_path / "out"
    first = annotate([films], out, replace(options, outputs=(Output.SR, Output.KO)))
    before = {name: objects(folder) for name, folder in folders(first, out).items()}
    again = annotate([films], out, replace(options, outputs=OBJECTS, resume=resume))
    for name, folder in folders(again, out).items():
        after = objects(folder)
        assert len(after) > len(before[name])
        assert {key: after[key] for key in before[name]} == before[name]


def test_another_model_makes_other_objects(films: Path, tmp_path: Path, options: AnnotateOptions) -> None:
    out = tmp_path / "out"
    first = annotate([films], out, replace(options, outputs=(Output.SR,)))
    uids = {name: pydicom.dcmread(folder / "sr.dcm").SOPInstanceUID for name, folder in folders(first, out).items()}
    allowed = replace(options, outputs=(Output.SR,), allow_out_of_distribution=True)
    for name, folder in folders(annotate([films], out, allowed), out).items():
        assert pydicom.dcmread(folder / "sr.dcm").SOPInstanceUID != uids[name]
