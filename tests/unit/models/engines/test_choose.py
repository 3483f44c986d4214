"""Which engine is chosen, what is refused, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from medcam.core.errors import UsageError
from medcam.core.explanation import Engine
from medcam.core.protocols import OnEngine
from medcam.models.engines import choose, openvino_engine, processor, torch_engine
from medcam.models.engines.budget import BUDGET, Budget, Errors, errors_between
from medcam.models.engines.choose import with_engine
from medcam.models.engines.engine import RefusedError
from medcam.models.engines.names import Candidate, parse_engine
from medcam.models.engines.torch_engine import TorchEngine, copied, device_of
from medcam.models.files import save_model
from medcam.models.loaded import LoadedModel
from medcam.models.registry import load_model

from ..tiny import noise, tiny_card, tiny_network


class OffBy:
    """An engine that is wrong by a constant share of its features."""

    def __init__(self, model: LoadedModel, candidate: Candidate, share: float) -> None:
        self.name, self.precision, self._share = candidate.name, candidate.precision, share
        self._reference = model.reference().features

    def layers(self, images: Tensor) -> dict[str, Tensor]:
        return {name: value * (1.0 + self._share) for name, value in self._reference.layers(images).items()}


@pytest.fixture
def model() -> LoadedModel:
    return LoadedModel(tiny_network(), tiny_card())


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """A machine of one's wishes; gives the list of engines that are built on it."""

    def make(errors: dict[str, float | str], *, openvino: tuple[str, ...] = ("bf16", "fp32"), **has: bool) -> list[str]:
        built: list[str] = []

        def build(model: LoadedModel, candidate: Candidate, _threads: int) -> OffBy:
            built.append(str(candidate))
            error = errors.get(str(candidate), 0.0)
            if isinstance(error, str):
                raise RefusedError(error)
            return OffBy(model, candidate, error)

        monkeypatch.setattr(choose, "_built", build)
        monkeypatch.setattr(choose, "openvino_precisions", lambda: openvino)
        for name in ("has_bf16", "has_cuda", "has_mps"):
            monkeypatch.setattr(processor, name, lambda name=name: has.get(name, False))
        return built

    return make


def test_unless_asked_it_is_torch_in_fp32_itself(model: LoadedModel) -> None:
    assert isinstance(model, OnEngine)
    assert model.engine == Engine("torch", "fp32", 0.0)
    assert with_engine(model, None).engine == Engine("torch", "fp32", 0.0)
    films = noise(2)
    with torch.inference_mode():
        np.testing.assert_array_equal(model.predict(films).logits, model.network(torch.from_numpy(films)).logits)


@pytest.mark.parametrize(
    ("engine", "has", "tried"),
    [
        ("auto", {}, ["openvino bf16"]),
        ("auto", {"openvino": ("fp32",), "has_bf16": True}, ["openvino fp32"]),
        ("auto", {"openvino": (), "has_bf16": True}, ["torch bf16"]),
        ("auto", {"openvino": ()}, ["torch fp32"]),
        ("auto", {"has_cuda": True}, ["torch-cuda bf16"]),
        ("auto", {"has_mps": True}, ["torch-mps fp16"]),
        ("openvino", {}, ["openvino bf16"]),
        ("openvino", {"openvino": ("fp32",)}, ["openvino fp32"]),
        ("OpenVINO:fp32", {}, ["openvino fp32"]),
        ("torch", {"has_bf16": True, "has_cuda": True}, ["torch fp32"]),
        ("torch:bf16", {"has_bf16": True}, ["torch bf16"]),
        ("torch-cuda", {"has_cuda": True}, ["torch-cuda bf16"]),
    ],
)
def test_the_fastest_comes_first(
    model: LoadedModel, machine: Callable[..., list[str]], engine: str, has: dict[str, Any], tried: list[str]
) -> None:
    built = machine({}, **has)
    chosen = with_engine(model, engine)
    assert built == tried
    assert f"{chosen.engine.name} {chosen.engine.precision}" == tried[0]
    assert chosen.engine_warnings == chosen.chosen.notes == ()


def test_the_error_on_the_calibration_films_is_recorded(model: LoadedModel, machine: Callable[..., list[str]]) -> None:
    machine({"openvino bf16": 1e-4})
    chosen = with_engine(model, "openvino")
    assert chosen.engine.precision == "bf16"
    films = choose.calibration_inputs(model.card.input)
    wanted = np.abs(chosen.predict(films).logits - model.predict(films).logits).max()
    assert chosen.engine.max_logit_error == pytest.approx(float(wanted), abs=1e-6)
    assert chosen.engine.max_logit_error > 0.0


def test_what_does_not_keep_to_the_budget_falls_back_to_the_next_and_says_so(
    model: LoadedModel, machine: Callable[..., list[str]]
) -> None:
    built = machine({"openvino bf16": 0.5, "openvino fp32": 0.5})
    chosen = with_engine(model, "openvino")
    assert built == ["openvino bf16", "openvino fp32", "torch fp32"]
    assert (chosen.engine.name, chosen.engine.precision) == ("torch", "fp32")
    first, second = chosen.engine_warnings
    assert first.startswith("engine: openvino bf16 is not used: its ")
    assert second.startswith("engine: openvino fp32 is not used: its ")
    assert "calibration films (at most 0.0" in first


def test_where_everything_fails_it_is_the_network_itself(model: LoadedModel, machine: Callable[..., list[str]]) -> None:
    machine({"openvino bf16": "it is broken", "openvino fp32": float("nan"), "torch fp32": 0.5})
    chosen = with_engine(model, "auto")
    assert chosen.engine == Engine("torch", "fp32", 0.0)
    assert chosen.engine_warnings[0] == "engine: openvino bf16 is not used: it is broken"
    assert len(chosen.engine_warnings) == 3
    np.testing.assert_array_equal(chosen.predict(noise(1)).maps, model.predict(noise(1)).maps)


def test_that_auto_left_bf16_for_a_better_precision_is_a_note_and_no_warning(
    model: LoadedModel, machine: Callable[..., list[str]]
) -> None:
    machine({"openvino bf16": 0.5})
    chosen = with_engine(model, "auto")
    assert (chosen.engine.name, chosen.engine.precision) == ("openvino", "fp32")
    assert chosen.engine_warnings == ()
    assert len(chosen.chosen.notes) == 1
    assert with_engine(model, "openvino").engine_warnings == chosen.chosen.notes


def test_an_engine_that_fails_on_the_films_is_refused(model: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(OffBy):
        def layers(self, images: Tensor) -> dict[str, Tensor]:
            raise RuntimeError("out of memory")

    monkeypatch.setattr(choose, "_built", lambda model, candidate, _threads: Broken(model, candidate, 0.0))
    chosen = with_engine(model, "torch")
    assert chosen.engine_warnings == (
        "engine: torch fp32 is not used: it fails on the calibration films (RuntimeError)",
    )
    assert len(chosen.predict(noise(1))) == 1


def test_a_film_alone_is_checked_too(model: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    class WrongAlone(OffBy):
        def layers(self, images: Tensor) -> dict[str, Tensor]:
            scale = 2.0 if len(images) == 1 else 1.0
            return {name: scale * value for name, value in super().layers(images).items()}

    monkeypatch.setattr(choose, "_built", lambda model, candidate, _threads: WrongAlone(model, candidate, 0.0))
    assert "torch fp32 is not used" in with_engine(model, "torch").engine_warnings[0]


@pytest.mark.parametrize("engine", ["", "cuda", "torch:", "torch:int8", "auto:bf16", "openvino:fp32:x", "tensorrt"])
def test_other_engines_are_refused(model: LoadedModel, engine: str) -> None:
    with pytest.raises(UsageError) as caught:
        with_engine(model, engine)
    assert caught.value.code == "unknown-engine"


def test_an_engine_is_asked_for_by_name_and_precision() -> None:
    assert parse_engine(" OpenVINO ") == ("openvino", None)
    assert parse_engine("torch:bf16") == ("torch", "bf16")


def test_without_openvino_it_is_torch_and_the_result_says_so(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino_engine, "load_openvino", lambda: None)
    chosen = with_engine(model, "openvino")
    assert (chosen.engine.name, chosen.engine.precision) == ("torch", "fp32")
    assert chosen.engine_warnings == ("engine: openvino fp32 is not used: OpenVINO is not installed",)
    assert with_engine(model, "auto").engine.name == "torch"


def test_what_the_machine_lacks_is_not_used(model: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "has_bf16", lambda: False)
    monkeypatch.setattr(processor, "has_cuda", lambda: False)
    assert "this processor has no bf16" in with_engine(model, "torch:bf16").engine_warnings[0]
    assert "no such device" in with_engine(model, "torch-cuda").engine_warnings[0]


def test_flags_of_the_processor_decide_on_bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    for flags, wanted in (
        ({"avx512_f": True, "avx512_bf16": False}, False),
        ({"avx512_bf16": True}, True),
        ({"amx_bf16": True}, True),
        ({}, False),
    ):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda flags=flags: flags, raising=False)
        assert processor.has_bf16() is wanted
    monkeypatch.delattr(torch.cpu, "get_capabilities")
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True, raising=False)
    assert processor.has_bf16()


def test_autocast_is_asked_of_the_device(model: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [device_of(name) for name in ("torch", "torch-cuda", "torch-mps")] == ["cpu", "cuda", "mps"]
    monkeypatch.setattr(torch_engine, "device_of", lambda _name: "cpu")
    asked: list[tuple[Any, ...]] = []
    autocast = torch.autocast

    def spy(device: str, *, dtype: torch.dtype | None, enabled: bool, cache_enabled: bool) -> Any:
        asked.append((device, dtype, enabled))
        return autocast(device, dtype=torch.bfloat16, enabled=enabled, cache_enabled=cache_enabled)

    backbone = copied(model.network.backbone, model.card)
    monkeypatch.setattr(torch, "autocast", spy)
    for candidate in (Candidate("torch-mps", "fp16"), Candidate("torch-cuda", "bf16"), Candidate("torch", "fp32")):
        with torch.no_grad():
            TorchEngine(backbone, model.layers_read, candidate).layers(torch.zeros(1, 1, 64, 64))
    assert asked == [("cpu", torch.float16, True), ("cpu", torch.bfloat16, True), ("cpu", None, False)]


def test_a_network_that_its_card_does_not_describe_cannot_be_copied(model: LoadedModel) -> None:
    with pytest.raises(RefusedError, match="cannot be copied"):
        copied(model.network.backbone, replace(model.card, backbone="densenet121", backbone_options={}))


def test_budget_and_errors() -> None:
    assert Budget(logit=0.01, map=0.02) == BUDGET
    assert Errors(0.009, 0.019).within(BUDGET)
    for errors in (Errors(0.011, 0.0), Errors(0.0, 0.021), Errors(float("nan"), 0.0), Errors(0.0, float("nan"))):
        assert not errors.within(BUDGET)
        assert "off on the calibration films" in errors.told(BUDGET)
    assert Errors(1.0, 2.0).worse(Errors(3.0, 1.0)) == Errors(3.0, 2.0)
    model = LoadedModel(tiny_network(), tiny_card())
    wanted = model.predict(noise(2))
    changed = replace(wanted, maps=wanted.maps * np.float32(1.05), logits=wanted.logits + np.float32(0.25))
    errors = errors_between(wanted, changed)
    assert errors.logit == pytest.approx(0.25, abs=1e-6)
    assert errors.map == pytest.approx(0.05, rel=1e-4)
    silent = replace(wanted, maps=np.zeros_like(wanted.maps))
    assert errors_between(silent, silent) == Errors(0.0, 0.0)
    assert errors_between(silent, wanted).map > 1.0


def test_a_model_is_loaded_onto_an_engine_by_name(tmp_path: Any) -> None:
    card = tiny_card(out_of_distribution_threshold=None)
    save_model(tmp_path / "tiny", tiny_network(card), card)
    model = load_model(tmp_path / "tiny", "torch")
    assert model.engine.name == "torch"
    assert 0.0 <= model.engine.max_logit_error < 1e-4
    with pytest.raises(UsageError):
        load_model(tmp_path / "tiny", engine="abacus")
