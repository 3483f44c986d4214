"""Models of others brought in, fetched, handed out and brought back: the same numbers each time."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from file_server import serving
from plain_networks import PlainDenseNet, PlainResNet, lively
from torch import nn

from medcam.core.errors import MedcamError
from medcam.models.exchange import bundle as bundle_module
from medcam.models.exchange.onnx_file import read_onnx
from medcam.models.files import halve, save_model
from medcam.models.known import model_names, user_folder
from medcam.models.published import catalogue as catalogue_module
from medcam.models.published.catalogue import Output, Published, catalogue, published
from medcam.models.published.layouts import LAYOUTS, XRAYVISION
from medcam.models.registry import load_model, read_card
from medcam.service.explain import explain
from medcam.service.published.bring import NOT_MEASURED, Request, import_model
from medcam.service.published.fetch import fetch_model
from medcam.service.published.give import Format, export_model

SIDE = 64


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def network() -> nn.Module:
    return lively(PlainDenseNet(1, 18))


@pytest.fixture
def file(network: nn.Module, tmp_path: Path) -> Path:
    torch.save(network.state_dict(), tmp_path / "theirs.pt", _use_new_zipfile_serialization=False)
    return tmp_path / "theirs.pt"


def near(given: np.ndarray, expected: np.ndarray) -> bool:
    """Within 1e-4, and the last digits of fp32: the networks here answer with hundreds, as no trained one does."""
    return bool(np.abs(given - expected).max() < 1e-4 + 1e-6 * np.abs(expected).max())


def images(count: int = 2, side: int = SIDE) -> np.ndarray:
    films = torch.rand(count, 1, side, side, generator=torch.Generator().manual_seed(2))
    return (2048 * films - 1024).numpy()


def code(call, *arguments, **options) -> str:
    with pytest.raises(MedcamError) as caught:
        call(*arguments, **options)
    assert caught.value.next_step
    return caught.value.code


def test_a_checkpoint_becomes_a_model_with_a_card(file: Path, network: nn.Module) -> None:
    card = import_model(file, Request("theirs", "torchxrayvision", side=SIDE))

    model = load_model("theirs")
    with torch.inference_mode():
        expected = network(torch.from_numpy(images())).numpy()
    assert near(model.predict(images()).logits, expected)
    assert model.card == card == read_card("theirs")
    assert card.finding_names == XRAYVISION
    assert (card.input.black, card.input.white, card.input.fit) == (-1024.0, 1024.0, "crop")
    assert "theirs.pt, SHA-256 " in card.origin
    assert NOT_MEASURED in card.limits
    assert card.findings[0].code is not None
    assert {path.name for path in (user_folder() / "theirs").iterdir()} == {"card.json", "weights.safetensors"}


def test_a_film_is_explained_by_an_imported_model(file: Path) -> None:
    import_model(file, Request("theirs", side=SIDE))

    explanation = explain(np.random.default_rng(0).random((90, 80)).astype(np.float32), "theirs")

    assert len(explanation.findings) == 18
    finding = explanation.findings[0]
    assert abs(finding.map.values.mean() + finding.map.bias - finding.logit) < 1e-4


def test_names_that_cannot_be_used(file: Path) -> None:
    import_model(file, Request("theirs", side=SIDE))

    for name in ("theirs", "phantom", "", ".hidden", "a/b", "../a", "a+b", "x" * 65, " a", "\n"):
        assert code(import_model, file, Request(name, side=SIDE)) == "model-name", name
    assert import_model(file, Request("theirs", side=SIDE, replace=True)).name == "theirs"


def test_layouts_that_cannot_be_used(file: Path, tmp_path: Path) -> None:
    assert code(import_model, file, Request("a", "other")) == "unknown-import-layout"
    assert code(import_model, file, Request("a", "torchvision")) == "checkpoint-findings"
    assert code(import_model, file, Request("a", "chexnet")) == "checkpoint-findings"
    assert code(import_model, tmp_path, Request("a")) == "unknown-checkpoint"
    assert not user_folder().exists()


def test_outputs_are_named_by_hand(tmp_path: Path) -> None:
    torch.save({"state_dict": lively(PlainResNet(3, 3, (1, 1, 1, 1))).state_dict()}, tmp_path / "a.pt")

    card = import_model(tmp_path / "a.pt", Request("mine", "torchvision", ("Nodule", "-", "Mass"), SIDE))

    assert card.finding_names == ("Nodule", "Mass")
    assert card.backbone_options["constant_channel"] is True


def test_a_model_without_exact_maps_is_explained_by_another_method(tmp_path: Path) -> None:
    theirs = PlainDenseNet(1, 2)
    theirs.classifier = nn.Sequential(nn.Linear(theirs.classifier.in_features, 5), nn.ReLU(), nn.Linear(5, 2))
    torch.save(lively(theirs).state_dict(), tmp_path / "a.pt")
    request = Request("mlp", "torchxrayvision", ("Nodule", "Mass"), SIDE)

    assert code(import_model, tmp_path / "a.pt", request) == "no-gap-tail"
    card = import_model(tmp_path / "a.pt", replace(request, activation="relu"))
    explanation = explain(np.random.default_rng(0).random((70, 70)).astype(np.float32), "mlp")

    assert card.head == "none"
    assert explanation.method == "hirescam"
    assert explanation.findings[0].map.values.size > 1
    assert explanation.findings[0].evidence is None
    grad = explain(np.random.default_rng(0).random((70, 70)).astype(np.float32), "mlp", method="grad-cam")
    assert grad.method == "grad-cam"


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


def entry(url: str, **changes: object) -> Published:
    outputs = tuple(Output(name, 0.1) if number != 3 else Output("") for number, name in enumerate(XRAYVISION))
    base = Published(
        "theirs", url, "torchxrayvision", outputs, SIDE, "their films", "Apache-2.0", "Them 2020", "https://x", "All."
    )
    return replace(base, **changes)


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch):
    def put(one: Published) -> None:
        monkeypatch.setattr(catalogue_module, "catalogue", lambda: {one.name: one})

    return put


def test_a_published_model_is_fetched_trusted_once_and_recorded(file: Path, known, tmp_path: Path) -> None:
    with serving(file.read_bytes()) as server:
        known(entry(f"{server.url}/file"))

        fetched = fetch_model("theirs", Request(""))

        assert fetched.first_time
        assert fetched.card.finding_names == tuple(name for name in XRAYVISION if name != "Pneumothorax")
        assert fetched.card.findings[0].threshold == 0.1
        assert (fetched.card.weights_licence, fetched.card.citation) == ("Apache-2.0", "Them 2020")
        assert fetched.card.training_data == "their films"
        assert not list((tmp_path / "cache").rglob("*.part"))
        assert not fetch_model("theirs", Request("second")).first_time
        server.data = file.read_bytes()[::-1]
        assert code(fetch_model, "theirs", Request("third")) == "download-digest"
    assert set(model_names()) >= {"theirs", "second"}
    assert "third" not in model_names()


def test_a_name_that_is_taken_is_told_before_anything_is_downloaded(file: Path, known) -> None:
    import_model(file, Request("theirs", side=SIDE))
    known(entry("https://127.0.0.1:9/never-asked"))

    assert code(fetch_model, "theirs", Request("")) == "model-name"


def test_offline_nothing_is_left_behind(known) -> None:
    known(entry("http://127.0.0.1:9/file"))

    assert code(fetch_model, "theirs", Request("")) == "download-unreachable"
    assert "theirs" not in model_names()


def test_the_catalogue_holds_what_upstream_says() -> None:
    entries = catalogue()

    assert len([name for name in entries if name.startswith("densenet121-res224-")]) == 7
    assert entries["resnet50-res512-all"].side == 512
    assert entries["densenet121-res224-rsna"].findings == ("Pneumonia", "Lung Opacity")
    assert entries["densenet121-res224-all"].findings == XRAYVISION
    for one in entries.values():
        assert one.layout in LAYOUTS
        assert one.url.startswith("https://")
        assert one.weights_licence
        assert one.citation
        assert (one.size is None) == (one.sha256 == "")
        assert one.size is None or (re.fullmatch("[0-9a-f]{64}", one.sha256) and one.note)
        assert len({output.name for output in one.outputs if output.name}) == len(one.findings)
        assert all(output.threshold is not None and 0 < output.threshold < 1 for output in one.outputs if output.name)
        if one.outputs and one.layout == "torchxrayvision":
            assert all(output.name in (name, "") for output, name in zip(one.outputs, XRAYVISION, strict=True))


def test_repositories_of_the_hub_are_named_by_owner_and_name() -> None:
    assert published("hf:owner/some-model.v2").url == (
        "https://huggingface.co/owner/some-model.v2/resolve/main/model.safetensors"
    )
    assert "/resolve/abc123/" in published("hf:owner/model@abc123").url
    for name in ("hf:", "hf:model", "hf:a/b/c", "hf:a/../b", "hf:a/b?c", "hf:a/b@../x"):
        assert code(published, name) == "hub-name", name
    assert code(published, "nobody's") == "not-published"


def test_a_published_model_that_is_not_here_says_how_to_get_it() -> None:
    with pytest.raises(MedcamError, match="on this computer") as caught:
        load_model("densenet121-res224-all")
    assert "medcam models fetch densenet121-res224-all" in caught.value.next_step


def test_weights_in_half_precision_stay_what_they_were(file: Path, tmp_path: Path) -> None:
    import_model(file, Request("theirs", side=SIDE))
    model = load_model("theirs")
    halve(model.network)
    save_model(tmp_path / "half", model.network, model.card)

    import_model(export_model(tmp_path / "half", Format.SAFETENSORS, tmp_path / "out"), Request("again"))

    first = load_model(tmp_path / "half").predict(images())
    assert np.array_equal(load_model("again").predict(images()).logits, first.logits)


def test_a_file_with_upstreams_name_is_known(file: Path) -> None:
    entry = catalogue()["densenet121-res224-chex"]
    renamed = file.rename(file.with_name(entry.url.rpartition("/")[2]))

    card = import_model(renamed, Request("chex", "torchxrayvision", side=SIDE))

    assert card.finding_names == entry.findings
    assert card.findings[0].threshold == entry.outputs[0].threshold
    assert card.weights_licence == entry.weights_licence


def test_a_pipe_is_no_checkpoint(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe")

    assert code(import_model, tmp_path / "pipe", Request("a")) == "unknown-checkpoint"
