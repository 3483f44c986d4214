"""Published models fetched by name: trusted once, recorded, and refused when something is wrong."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from file_server import serving

from medcam.core.errors import MedcamError
from medcam.models.known import model_names
from medcam.models.published import catalogue as catalogue_module
from medcam.models.published.catalogue import Output, Published, catalogue, published
from medcam.models.published.layouts import LAYOUTS, XRAYVISION
from medcam.models.registry import load_model
from medcam.service.published.bring import Request, import_model
from medcam.service.published.fetch import fetch_model

from .checks import SIDE, code


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


def test_a_file_with_upstreams_name_is_known(file: Path) -> None:
    entry = catalogue()["densenet121-res224-chex"]
    renamed = file.rename(file.with_name(entry.url.rpartition("/")[2]))

    card = import_model(renamed, Request("chex", "torchxrayvision", side=SIDE))

    assert card.finding_names == entry.findings
    assert card.findings[0].threshold == entry.outputs[0].threshold
    assert card.weights_licence == entry.weights_licence
