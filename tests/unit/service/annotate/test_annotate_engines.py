"""A run names its engine, redoes what another engine made, and falls back aloud."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from medcam.core.errors import UsageError
from medcam.core.protocols import Classifier
from medcam.models.engines import openvino_engine
from medcam.models.registry import load_model
from medcam.service.annotate.manifest import Manifest
from medcam.service.annotate.options import AnnotateOptions, Output, default_workers
from medcam.service.annotate.run import annotate
from medcam.service.explain import explain


def run(films: Path, out: Path, model: Path, engine: str) -> tuple[Manifest, dict]:
    options = AnnotateOptions(model=str(model), outputs=(Output.JSON,), workers=1, engine=engine)
    manifest = annotate([films / "film-0.dcm"], out, options)
    [path] = out.glob("*/*/explanation.json")
    return manifest, json.loads(path.read_text())


def test_the_engine_is_on_record_and_another_one_makes_results_anew(
    phantom_dicom: Path, tiny_model_folder: Path, tmp_path: Path
) -> None:
    manifest, told = run(phantom_dicom, tmp_path, tiny_model_folder, "torch")
    assert (told["engine"]["name"], told["engine"]["precision"]) == ("torch", "fp32")
    record = json.loads((tmp_path / "manifest.json").read_text())["engine"]
    assert (record["name"], record["precision"], record["notes"]) == ("torch", "fp32", [])
    assert record["max_logit_error"] == pytest.approx(told["engine"]["max_logit_error"])
    again, _ = run(phantom_dicom, tmp_path, tiny_model_folder, "torch")
    assert (manifest.reused, again.reused) == (0, 1)
    if openvino_engine.openvino_precisions():
        other, told = run(phantom_dicom, tmp_path, tiny_model_folder, "openvino:fp32")
        assert told["engine"]["name"] == "openvino"
        assert other.reused == 0


def test_a_missing_engine_is_a_warning_in_every_result(
    phantom_dicom: Path, tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino_engine, "load_openvino", lambda: None)
    manifest, told = run(phantom_dicom, tmp_path, tiny_model_folder, "openvino")
    wanted = "engine: openvino fp32 is not used: OpenVINO is not installed"
    assert wanted in told["warnings"]
    assert manifest.engine_notes == (wanted,)
    assert told["engine"]["name"] == "torch"


def test_threads_and_names_are_checked_with_the_options() -> None:
    assert AnnotateOptions().engine_threads == 0
    if default_workers() > 1:
        assert AnnotateOptions(workers=1).engine_threads == 1
    with pytest.raises(UsageError, match="no engine"):
        AnnotateOptions(engine="abacus")


def test_explain_takes_an_engine_for_our_own_models_alone(phantom_dicom: Path, tiny_model_folder: Path) -> None:
    film, model = phantom_dicom / "film-0.dcm", load_model(tiny_model_folder)
    assert explain(film, model).engine.max_logit_error == 0.0
    assert explain(film, model, engine="torch").engine.name == "torch"
    assert explain(film, tiny_model_folder, engine="torch").engine.precision == "fp32"

    class Foreign:
        card = model.card
        prepare, predict, out_of_distribution = model.prepare, model.predict, model.out_of_distribution

    assert isinstance(Foreign(), Classifier)
    with pytest.raises(UsageError) as caught:
        explain(film, Foreign(), engine="torch")
    assert caught.value.code == "own-engine"
