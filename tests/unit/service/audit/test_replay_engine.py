"""A replay runs on the engine on record; where that is not to be had, within its error budget, and says so."""

from __future__ import annotations

import pytest

from medcam.core.explanation import Engine
from medcam.models.engines import openvino_engine
from medcam.models.engines.openvino_engine import openvino_precisions
from medcam.models.loaded import LoadedModel
from medcam.service.audit.replay_engine import TOLERANCE, replay_engine

NEEDS_OPENVINO = pytest.mark.skipif(not openvino_precisions(), reason="OpenVINO is not installed")


def test_plain_torch_stays_itself(tiny_model: LoadedModel) -> None:
    found = replay_engine(tiny_model, {"name": "torch", "precision": "fp32", "max_logit_error": 0.0})
    assert found.classifier is tiny_model
    assert (found.recorded, found.words) == (True, "torch fp32")
    assert found.allowance("findings[0].logit", 500.0) == TOLERANCE
    assert found.allowance("findings[0].map.values[3]", 500.0) == pytest.approx(500.0 * TOLERANCE)


@NEEDS_OPENVINO
def test_the_engine_on_record_is_used(tiny_model: LoadedModel) -> None:
    found = replay_engine(tiny_model, {"name": "openvino", "precision": "fp32", "max_logit_error": 1e-6})
    assert isinstance(found.classifier, LoadedModel)
    assert found.classifier.engine.name == "openvino"
    assert (found.recorded, found.words) == (True, "openvino fp32")


@pytest.mark.parametrize("name", ["openvino", "an engine of tomorrow"])
def test_without_it_the_budget_is_what_may_differ(
    tiny_model: LoadedModel, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(openvino_engine, "load_openvino", lambda: None)
    found = replay_engine(tiny_model, {"name": name, "precision": "fp32", "max_logit_error": 1e-6})
    assert isinstance(found.classifier, LoadedModel)
    assert found.classifier.engine == Engine()
    assert not found.recorded
    assert found.words == f"torch fp32 within the error budget of {name} fp32"
    assert found.allowance("findings[0].logit", 500.0) == 0.01
    assert found.allowance("findings[0].map.values[3]", 500.0) == pytest.approx(10.0)
    assert not found.compared("engine.name")
    assert not found.compared("findings[1].regions[0].x")
    assert found.compared("findings[1].logit")
