"""Models handed out and brought back: the same numbers each time."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from plain_networks import PlainDenseNet, PlainResNet, lively

from medcam.models.exchange import bundle as bundle_module
from medcam.models.exchange.onnx_file import read_onnx
from medcam.models.files import halve, save_model
from medcam.models.known import user_folder
from medcam.models.published.layouts import XRAYVISION
from medcam.models.registry import load_model
from medcam.service.published.bring import Request, import_model
from medcam.service.published.give import Format, export_model

from .checks import SIDE, code, images, near

EXPORTED = {
    "a plain DenseNet": lambda: lively(PlainDenseNet(1, 18)),
    "ResNet-18": lambda: lively(PlainResNet(1, 18, (2, 2, 2, 2), width=64)),
}


@pytest.mark.parametrize("kind", EXPORTED)
@pytest.mark.parametrize("form", list(Format))
def test_what_is_exported_comes_back_the_same(form: Format, kind: str, tmp_path: Path) -> None:
    if form is Format.ONNX:
        pytest.importorskip("onnx")
        pytest.importorskip("onnxscript")
    torch.save(EXPORTED[kind]().state_dict(), tmp_path / "theirs.pt")
    card = import_model(tmp_path / "theirs.pt", Request("theirs", side=SIDE))
    out = export_model("theirs", form, tmp_path / {"monai-bundle": "out"}.get(form, f"out.{form}"))

    again = import_model(out, Request("again"))

    first, second = load_model("theirs").predict(images()), load_model("again").predict(images())
    assert near(first.logits, second.logits)
    assert near(first.maps, second.maps)
    assert again.name == "again"
    assert again.findings == card.findings
    assert again.origin == card.origin


@pytest.mark.parametrize("form", [Format.SAFETENSORS, Format.BUNDLE])
def test_the_shipped_model_goes_out_and_comes_back_with_its_gate(form: Format, tmp_path: Path) -> None:
    import_model(export_model("phantom", form, tmp_path / "out"), Request("again"))

    model, again = load_model("phantom"), load_model("again")
    films = np.random.default_rng(0).normal(size=(1, 1, 320, 320)).astype(np.float32)
    first, second = model.predict(films), again.predict(films)
    assert np.array_equal(first.logits, second.logits)
    assert np.array_equal(model.out_of_distribution(films, first), again.out_of_distribution(films, second))
    assert again.card.out_of_distribution_threshold == model.card.out_of_distribution_threshold


def test_onnx_gives_logits_and_maps_to_others(file: Path, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    openvino = pytest.importorskip("openvino")
    import_model(file, Request("theirs", side=SIDE))
    path = export_model("theirs", Format.ONNX, tmp_path / "out.onnx")

    compiled = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    logits, maps = (np.array(value) for value in compiled(images(3)).values())

    expected = load_model("theirs").predict(images(3))
    assert near(logits, expected.logits)
    assert near(maps, expected.maps)
    graph = onnx.load(path).graph
    assert [value.name for value in graph.output] == ["logits", "maps"]
    assert "medcam-card" in read_onnx(path).metadata


def test_rubbish_is_no_onnx(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    (tmp_path / "a.onnx").write_bytes(b"\xff" * 100)

    assert code(import_model, tmp_path / "a.onnx", Request("a")) in ("broken-checkpoint", "unknown-layout")


def test_onnx_says_what_it_needs(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import_model(file, Request("theirs", side=SIDE))
    monkeypatch.setattr("medcam.models.exchange.onnx_file.find_spec", lambda _name: None)

    assert code(export_model, "theirs", Format.ONNX, tmp_path / "out.onnx") == "missing-package"


@pytest.mark.parametrize("native", [True, False])
def test_monai_itself_runs_the_bundle(native: bool, tmp_path: Path) -> None:
    from monai.bundle import ConfigParser

    theirs = PlainResNet(1, 18, (2, 2, 2, 2), width=64 if native else 8)
    torch.save(lively(theirs).state_dict(), tmp_path / "a.pt")
    import_model(tmp_path / "a.pt", Request("theirs", side=SIDE))
    folder = export_model("theirs", Format.BUNDLE, tmp_path / "bundle")
    parser = ConfigParser()
    parser.read_config(folder / "configs" / "inference.json")
    parser.read_meta(folder / "configs" / "metadata.json")
    parser["bundle_root"] = str(folder)

    ran = parser.get_parsed_content("network").eval()
    parser.get_parsed_content("load")

    with torch.inference_mode():
        logits = ran(torch.from_numpy(images())).numpy()
    assert near(logits, load_model("theirs").predict(images()).logits)
    assert ("medcam" in json.dumps(parser.get("network_def"))) != native


def test_a_bundle_of_others_tells_its_findings_and_its_size(tmp_path: Path) -> None:
    torch.save(lively(PlainResNet(1, 18, (2, 2, 2, 2), width=64)).state_dict(), tmp_path / "a.pt")
    import_model(tmp_path / "a.pt", Request("theirs", side=SIDE))
    folder = export_model("theirs", Format.BUNDLE, tmp_path / "bundle")
    (folder / bundle_module.CARD).unlink()

    assert code(import_model, folder, Request("other")) == "unknown-import-layout"
    card = import_model(folder, Request("other", mean=(0.5,), std=(1 / 2048,)))

    assert card.finding_names == XRAYVISION
    assert card.input.height == SIDE
    assert np.allclose(load_model("other").predict(images()).logits, load_model("theirs").predict(images()).logits)


def test_expressions_of_a_bundle_are_not_evaluated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save(lively(PlainDenseNet(1, 2)).state_dict(), tmp_path / "a.pt")
    import_model(tmp_path / "a.pt", Request("theirs", "torchxrayvision", ("A", "B"), SIDE))
    folder = export_model("theirs", Format.BUNDLE, tmp_path / "bundle")
    evil = {"network_def": "$open('medcam-evil-marker.txt', 'w')", "_target_": "os.system"}
    (folder / bundle_module.INFERENCE).write_text(json.dumps(evil))

    import_model(folder, Request("again"))

    assert not (tmp_path / "medcam-evil-marker.txt").exists()


@pytest.mark.parametrize("name", [bundle_module.METADATA, bundle_module.WEIGHTS, bundle_module.CARD])
def test_a_damaged_bundle_is_refused(name: str, file: Path, tmp_path: Path) -> None:
    import_model(file, Request("theirs", side=SIDE))
    folder = export_model("theirs", Format.BUNDLE, tmp_path / "bundle")
    (folder / name).write_bytes(b"\xff{")

    assert code(import_model, folder, Request("again")) in ("unknown-checkpoint", "broken-card")


def test_an_exported_file_with_other_tensors_is_refused(file: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    import_model(file, Request("theirs", side=SIDE))
    out = export_model("theirs", Format.SAFETENSORS, tmp_path / "out.safetensors")
    card = {"medcam-card": json.dumps(json.loads((user_folder() / "theirs" / "card.json").read_text()))}
    tensors = load_file(out)
    save_file({**tensors, "head.bias": torch.zeros(3)}, out, card)

    assert code(import_model, out, Request("again")) == "broken-weights"


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")

    assert code(export_model, "phantom", Format.SAFETENSORS, tmp_path / "out") == "export-exists"
    assert (tmp_path / "out").read_text() == "mine"
    export_model("phantom", Format.SAFETENSORS, tmp_path / "out", replace=True)


def test_weights_in_half_precision_stay_what_they_were(file: Path, tmp_path: Path) -> None:
    import_model(file, Request("theirs", side=SIDE))
    model = load_model("theirs")
    halve(model.network)
    save_model(tmp_path / "half", model.network, model.card)

    import_model(export_model(tmp_path / "half", Format.SAFETENSORS, tmp_path / "out"), Request("again"))

    first = load_model(tmp_path / "half").predict(images())
    assert np.array_equal(load_model("again").predict(images()).logits, first.logits)
