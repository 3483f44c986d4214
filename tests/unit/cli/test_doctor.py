"""`medcam doctor`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from medcam.core.card import FindingCard, InputRecipe, ModelCard
from medcam.core.errors import ModelError
from medcam.service import doctor
from medcam.service.explanations.software import UNKNOWN

from .conftest import Ended

CARD = ModelCard("phantom", "1", (FindingCard("Nodule"),), InputRecipe(64, 64), "resnet", weights_sha256="ab" * 32)


@pytest.fixture
def healthy(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A place where everything is there."""
    monkeypatch.setattr(doctor, "load_model", lambda _: SimpleNamespace(card=CARD))
    monkeypatch.setattr(doctor, "shipped_atlas", object)
    monkeypatch.setattr(doctor, "sample_films", lambda: [Path("film.dcm")])
    monkeypatch.setattr(doctor, "dashboards_folder", lambda: Path("dashboards"))
    monkeypatch.setattr(doctor, "package_version", lambda _: "1.0")
    return monkeypatch


def checks(medcam: Callable[..., Ended]) -> tuple[int, dict[str, dict[str, object]]]:
    ended = medcam("doctor", "--json")
    return ended.code, {check["name"]: check for check in json.loads(ended.out)}


def test_all_is_well(medcam: Callable[..., Ended], healthy: pytest.MonkeyPatch) -> None:
    code, found = checks(medcam)
    assert code == 0
    assert {"medcam", "python", "torch", "monai", "pydicom", "SimpleITK", "streamlit", "openvino"} <= set(found)
    assert str(found["engines"]["value"]).endswith("torch fp32")
    assert {"decoder: RLELossless", "decoder: JPEGLSLossless", "decoder: JPEG2000"} <= set(found)
    assert "1 findings, weights as on the card (abababababab)" in str(found["model: phantom"]["value"])
    assert all(check["ok"] for check in found.values())
    assert "MISSING" not in medcam("doctor").out


def test_a_damaged_model_fails(medcam: Callable[..., Ended], healthy: pytest.MonkeyPatch) -> None:
    def damaged(name: str) -> object:
        raise ModelError("the weights are not those of the card", code="weights-digest", next_step="Install it again.")

    healthy.setattr(doctor, "load_model", damaged)
    code, found = checks(medcam)
    assert (code, found["model: phantom"]["ok"]) == (1, False)
    ended = medcam("doctor")
    assert ended.code == 1
    assert "MISSING" in ended.out
    assert "[weights-digest]" in ended.out
    assert "Install it again." in ended.out


@pytest.mark.parametrize("optional", ["openvino", "isal"])
def test_what_is_optional_may_be_absent_and_is_missed(
    medcam: Callable[..., Ended], healthy: pytest.MonkeyPatch, optional: str
) -> None:
    healthy.setattr(doctor, "package_version", lambda name: UNKNOWN if name == optional else "1.0")
    code, found = checks(medcam)
    assert (code, found[optional]["ok"]) == (0, False)


def test_what_is_needed_may_not_be_absent(medcam: Callable[..., Ended], healthy: pytest.MonkeyPatch) -> None:
    healthy.setattr(doctor, "package_version", lambda name: UNKNOWN if name == "monai" else "1.0")
    code, found = checks(medcam)
    assert (code, found["monai"]["ok"]) == (1, False)
    assert "pip install monai" in str(found["monai"]["next_step"])
