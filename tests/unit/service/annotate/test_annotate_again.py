"""A run that is called again redoes what it must and nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from run_files import edited, folders, stamps

from medcam.service.annotate.options import AnnotateOptions, Output
from medcam.service.annotate.run import annotate
from medcam.service.annotate.tally import Progress


def test_a_second_run_redoes_nothing(films: Path, tmp_path: Path, options: AnnotateOptions) -> None:
    out = tmp_path / "out"
    first = annotate([films], out, options)
    before = stamps(out)
    second = annotate([films], out, options)
    assert (first.reused, second.reused, second.counts) == (0, 3, first.counts)
    changed = {path for path, stamp in stamps(out).items() if before[path] != stamp}
    assert changed == {str(out / "manifest.json"), str(out / "quarantine.jsonl")}


@pytest.mark.parametrize(
    "change",
    [
        {"findings": ("nodule",)},
        {"outputs": (Output.JSON,)},
        {"allow_out_of_distribution": True},
        {"resume": False},
    ],
    ids=lambda change: next(iter(change)),
)
def test_other_options_redo_every_film(
    films: Path, tmp_path: Path, options: AnnotateOptions, change: dict[str, object]
) -> None:
    annotate([films], tmp_path / "out", options)
    assert annotate([films], tmp_path / "out", replace(options, **change)).reused == 0


def test_another_model_another_source_and_a_lost_file_redo_a_film(
    films: Path, tmp_path: Path, options: AnnotateOptions, strict_model_folder: Path
) -> None:
    out = tmp_path / "out"
    where = folders(annotate([films], out, options), out)
    edited(films / "film-0.dcm", films / "film-0.dcm", WindowCenter="12")
    next(where["film-1.dcm"].glob("overlay-*.png")).unlink()
    again = annotate([films], out, options)
    assert {item.source for item in again.annotated if item.reused} == {"film-2.dcm"}
    assert annotate([films], out, replace(options, model=str(strict_model_folder))).reused == 0


def test_a_half_written_instance_is_done_again_and_cleaned(
    films: Path, tmp_path: Path, options: AnnotateOptions
) -> None:
    out = tmp_path / "out"
    folder = folders(annotate([films], out, options), out)["film-0.dcm"]
    (folder / "explanation.json").unlink()
    (folder / ".explanation.json.123.part").write_text("{")
    (folder / "overlay-left-by-another-run.png").write_bytes(b"")
    (folder / "my-notes.txt").write_text("kept")
    assert annotate([films], out, options).reused == 2
    assert not list(folder.glob("*.part"))
    assert not list(folder.glob(".*.part"))
    assert not (folder / "overlay-left-by-another-run.png").exists()
    assert (folder / "my-notes.txt").exists()


def test_a_stopped_run_has_no_manifest_until_it_is_finished(
    films: Path, tmp_path: Path, options: AnnotateOptions
) -> None:
    out = tmp_path / "out"
    annotate([films], out, options)

    def interrupt(now: Progress) -> None:
        assert not (out / "manifest.json").exists()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        annotate([films], out, options, interrupt)
    assert not (out / "manifest.json").exists()
    assert annotate([films], out, options).reused == 3
