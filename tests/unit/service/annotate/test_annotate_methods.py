"""Runs by another attribution method: told apart from exact ones on disk, in the store and by a replay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from medcam.core.errors import UsageError
from medcam.service.annotate.options import AnnotateOptions, Output
from medcam.service.annotate.run import annotate
from medcam.service.audit.replay import Verdict
from medcam.service.audit.replay_all import replay_all
from medcam.service.explanations.explanation_json import FILE_NAME, read_explanation
from medcam.service.studies.opened import opened_store


def test_each_method_has_an_explanation_of_its_own(
    phantom_dicom: Path, tiny_model_folder: Path, tmp_path: Path
) -> None:
    film, out = phantom_dicom / "film-0.dcm", tmp_path / "out"
    exact = AnnotateOptions(str(tiny_model_folder), outputs=(Output.JSON,), workers=1, store=str(tmp_path / "store"))
    methods = []
    for options in (exact, replace(exact, method="grad-cam"), replace(exact, method="Grad-CAM"), exact):
        manifest = annotate([film], out, options)
        [path] = out.rglob(FILE_NAME)
        methods.append((manifest.options["method"], manifest.reused, read_explanation(path).method))
    assert methods == [("cam", 0, "cam"), ("grad-cam", 0, "grad-cam"), ("grad-cam", 1, "grad-cam"), ("cam", 0, "cam")]
    with opened_store(tmp_path / "store") as opened:
        kept = [opened.films.explanation(one) for one in opened.films.explanation_ids()]
        assert sorted(one[0].method for one in kept if one) == ["cam", "grad-cam"]
        replays = replay_all(opened, None, str(tiny_model_folder))
    assert [(one.verdict, one.differences) for one in replays] == [(Verdict.EQUAL, ())] * 2


def test_an_unknown_method_stops_the_run(phantom_dicom: Path, tiny_model_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        annotate([phantom_dicom], tmp_path / "out", AnnotateOptions(str(tiny_model_folder), method="lime"))
    assert caught.value.code == "unknown-cam-method"
    assert not (tmp_path / "out").exists()
