"""Whatever goes wrong in a run, what was finished is kept and the cause is told."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest
from run_files import refusals

from medcam.core.errors import ModelError, UsageError
from medcam.core.radiograph import Radiograph
from medcam.overlay.png import save_png
from medcam.service.annotate import stages as annotate_stages
from medcam.service.annotate.options import AnnotateOptions
from medcam.service.annotate.run import annotate
from medcam.service.explain import Ready, ask
from medcam.service.output_errors import OutputError


def test_an_unexpected_error_quarantines_one_film_without_its_text(
    films: Path, tmp_path: Path, options: AnnotateOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_zones = annotate_stages.find_zones
    unlucky = pydicom.dcmread(films / "film-1.dcm").SOPInstanceUID

    def fails(radiograph: Radiograph) -> object:
        if radiograph.identity.sop_instance_uid == unlucky:
            raise RuntimeError("PHANTOM^NEVERSHOWN has no lungs")
        return find_zones(radiograph)

    monkeypatch.setattr(annotate_stages, "find_zones", fails)
    manifest = annotate([films], tmp_path / "out", options)
    assert manifest.counts.annotated == 2
    assert refusals(tmp_path / "out") == {"film-1.dcm": "internal-error"}
    text = (tmp_path / "out" / "quarantine.jsonl").read_text()
    assert "RuntimeError" in text
    assert "NEVERSHOWN" not in text


def test_a_film_that_the_model_fails_on_does_not_take_its_batch_along(
    films: Path, tmp_path: Path, options: AnnotateOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlucky = pydicom.dcmread(films / "film-1.dcm").SOPInstanceUID

    def fails(ready: list[Ready], *args: object) -> object:
        if any(film.source.identity.sop_instance_uid == unlucky for film in ready):
            raise ModelError("the maps do not add up", code="ledger-mismatch")
        return ask(ready, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(annotate_stages, "ask", fails)
    manifest = annotate([films], tmp_path / "out", options)
    assert manifest.counts.annotated == 2
    assert refusals(tmp_path / "out") == {"film-1.dcm": "ledger-mismatch"}


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.ENOSPC, "disk-full"), (errno.EACCES, "output-not-writable"), (errno.EIO, "output-failed")],
)
def test_a_refusing_disk_stops_the_run_and_keeps_what_was_finished(
    films: Path, tmp_path: Path, options: AnnotateOptions, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    written: list[Path] = []

    def fills(path: Path, picture: object) -> Path:
        if len(written) >= 2:
            raise OSError(number, "no")
        written.append(path)
        return save_png(path, picture)  # type: ignore[arg-type]

    out = tmp_path / "out"
    monkeypatch.setattr(annotate_stages, "save_png", fills)
    with pytest.raises(OutputError) as caught:
        annotate([films], out, replace(options, workers=1, findings=("nodule",)))
    assert caught.value.code == code
    assert not (out / "manifest.json").exists()
    monkeypatch.setattr(annotate_stages, "save_png", save_png)
    assert annotate([films], out, replace(options, findings=("nodule",))).reused == 2


def test_wrong_calls_are_told_before_anything_is_written(films: Path, tmp_path: Path, options: AnnotateOptions) -> None:
    out = tmp_path / "out"
    wrong: list[tuple[list[Path], AnnotateOptions, str]] = [
        ([tmp_path / "nowhere"], options, "no-such-source"),
        ([films], replace(options, findings=("gout",)), "no-such-finding"),
        ([films], replace(options, findings=("?",)), "no-such-finding"),
        ([films], replace(options, model="no such model"), "no-such-model"),
        ([], options, "usage"),
    ]
    for sources, asked, code in wrong:
        with pytest.raises((UsageError, ModelError)) as caught:
            annotate(sources, out, asked)
        assert caught.value.code == code
    assert not out.exists()


def test_a_file_as_output_folder_is_refused(films: Path, tmp_path: Path, options: AnnotateOptions) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(UsageError) as caught:
        annotate([films], tmp_path / "out", options)
    assert caught.value.code == "output-is-a-file"
