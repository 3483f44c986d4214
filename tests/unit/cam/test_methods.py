"""What every registered attribution method must keep to, whatever the network."""

from __future__ import annotations

import random
from importlib.metadata import EntryPoint

import numpy as np
import pytest
import torch
from torch import nn

from medcam.cam.methods import registry
from medcam.cam.methods.attribute import INPUT, Attribution
from medcam.cam.methods.attribute import attribute as attribute_by
from medcam.cam.methods.grids import grid_of, summed
from medcam.cam.methods.method import CamMethod, MethodCard, Units
from medcam.cam.methods.model import ClassMapModel, GradientModel
from medcam.cam.methods.registry import (
    build_method,
    method_card,
    method_cards,
    method_name,
    method_names,
    register_method,
)
from medcam.core.activation import CAM
from medcam.core.errors import InvalidValueError, ModelError, UsageError
from medcam.core.geometry import GridTransform
from medcam.core.relation import Relation

from .networks import FINDINGS, MODELS, films, model

NAMES = method_names()
CASES = [(method, kind) for method in NAMES for kind in MODELS if method != CAM or kind != "foreign"]
SMALL = {"occlusion": {"cells": 5}, "integrated-gradients": {"steps": 5, "cells": 12}}
"""Options that keep the suite quick."""
TOLERANCE = {"rtol": 1e-4, "atol": 1e-5}
each_case = pytest.mark.parametrize(("method", "kind"), CASES, ids=lambda value: value)


def attribute(network: GradientModel, inputs: np.ndarray, method, *findings, **options) -> Attribution:
    return attribute_by(network, inputs, method, *findings, **options, **(SMALL.get(str(method), {})))


def hooks(network: nn.Module) -> int:
    """How many hooks of any kind hang on a network."""
    return sum(
        len(value)
        for module in network.modules()
        for name, value in vars(module).items()
        if "hooks" in name and isinstance(value, dict)
    )


def state(network: nn.Module) -> tuple[object, ...]:
    """All that a call must leave as it was."""
    return (
        hooks(network),
        [module.training for module in network.modules()],
        [parameter.requires_grad for parameter in network.parameters()],
        [None if parameter.grad is None else parameter.grad.tolist() for parameter in network.parameters()],
        [value.tolist() for value in network.state_dict().values()],
        torch.get_rng_state().tolist(),
        np.random.get_state()[1].tolist(),  # noqa: NPY002  the very state that must not change
        random.getstate(),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
    )


def test_the_registry_has_the_methods_of_the_literature() -> None:
    assert set(NAMES) >= {
        "cam", "grad-cam", "grad-cam++", "layercam", "hirescam", "eigen-cam", "score-cam", "ablation-cam", "occlusion",
        "integrated-gradients", "guided-backprop",
    }  # fmt: skip
    assert NAMES[0] == CAM
    assert [card.name for card in method_cards() if card.control] == ["guided-backprop"] == list(NAMES[-1:])


@pytest.mark.parametrize("card", method_cards(), ids=lambda card: card.name)
def test_a_method_says_what_it_is(card: MethodCard) -> None:
    built = build_method(card.name.upper())
    assert isinstance(built, CamMethod)
    assert built.card is card
    assert any(character.isdigit() for character in card.source)
    assert len(card.weakness) > 30
    assert card.passes


@each_case
def test_all_findings_of_a_batch_are_those_of_each_image_and_finding_alone(method: str, kind: str) -> None:
    network, inputs = model(kind), films(3)
    together = attribute(network, inputs, method)
    assert together.values.shape[:2] == (3, FINDINGS)
    assert together.values.dtype == np.float32
    assert together.findings == tuple(range(FINDINGS))
    assert np.ptp(together.values) > 0.0
    for image in range(3):
        for finding in range(FINDINGS):
            alone = attribute(network, inputs[image : image + 1], method, [finding])
            np.testing.assert_allclose(alone.values[0, 0], together.values[image, finding], **TOLERANCE)


@each_case
def test_small_chunks_give_the_same_maps(method: str, kind: str) -> None:
    network, inputs = model(kind), films(3)
    whole, parts = (attribute(network, inputs, method, chunk=chunk) for chunk in (64, 2))
    np.testing.assert_allclose(parts.values, whole.values, **TOLERANCE)


@each_case
def test_no_pass_takes_more_images_than_the_chunk(method: str, kind: str) -> None:
    network, sizes = model(kind), []
    first = next(module for module in network.network.modules() if isinstance(module, nn.Conv2d))
    handle = first.register_forward_hook(lambda _module, inputs, _output: sizes.append(len(inputs[0])))
    attribute(network, films(5), method, chunk=2)
    handle.remove()
    assert 1 <= max(sizes) <= 2


@each_case
def test_findings_come_in_the_order_asked_for(method: str, kind: str) -> None:
    network, inputs = model(kind), films(1)
    picked = attribute(network, inputs, method, [2, 0])
    assert picked.findings == (2, 0)
    np.testing.assert_allclose(picked.values, attribute(network, inputs, method).values[:, [2, 0]], **TOLERANCE)


@each_case
@pytest.mark.parametrize("training", [False, True], ids=["evaluating", "training"])
def test_a_call_leaves_everything_as_it_was(method: str, kind: str, training: bool) -> None:
    network = model(kind)
    reference = attribute(network, films(2), method).values
    network.network.train(training)
    for place, parameter in enumerate(network.network.parameters()):
        parameter.requires_grad_(place % 2 == 0)
        if place % 4 == 0:
            parameter.grad = torch.full_like(parameter, 0.5)
    before, inputs = state(network.network), films(2)
    values = attribute(network, inputs, method).values
    assert state(network.network) == before
    np.testing.assert_array_equal(inputs, films(2))
    np.testing.assert_allclose(values, reference, **TOLERANCE)


@each_case
def test_nothing_is_left_behind_when_the_network_raises(method: str, kind: str) -> None:
    network = model(kind)
    last = [module for module in network.network.modules() if isinstance(module, nn.Conv2d)][-1]
    weight = last._parameters.pop("weight")
    before = (hooks(network.network), torch.get_rng_state().tolist())
    network.network.train()
    with pytest.raises(Exception, match="weight"):
        attribute(network, films(1), method)
    assert (hooks(network.network), torch.get_rng_state().tolist()) == before
    assert all(module.training for module in network.network.modules())
    last._parameters["weight"] = weight
    assert np.ptp(attribute(network, films(1), method).values) > 0.0


@each_case
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_it_works_where_the_caller_has_turned_gradients_off(method: str, kind: str, mode) -> None:
    network = model(kind)
    with mode():
        inside = attribute(network, films(1), method).values
    np.testing.assert_allclose(inside, attribute(network, films(1), method).values, **TOLERANCE)


@each_case
def test_maps_are_raw_and_say_where_they_come_from(method: str, kind: str) -> None:
    network, card = model(kind), method_card(method)
    made = attribute(network, films(4), method)
    assert made.method == card.name
    assert made.units is card.units
    assert made.layer == (INPUT if card.on_input else network.layer)
    if kind == "gap":
        assert bool((made.values < 0.0).any()) is card.signed
    elif not card.signed and card.specific:
        assert made.values.min() >= 0.0
    if not card.on_input:
        with torch.no_grad():
            assert made.values.shape[2:] == network.features(torch.from_numpy(films(1))).shape[2:]
    if not card.specific:
        np.testing.assert_array_equal(made.values[:, 0], made.values[:, 1])


@pytest.mark.parametrize("method", NAMES)
def test_an_empty_film_gives_numbers_too(method: str) -> None:
    made = attribute(model("gap"), np.zeros((1, 1, 48, 40), np.float32), method)
    assert np.isfinite(made.values).all()


def test_networks_satisfy_the_protocols() -> None:
    assert all(isinstance(model(kind), GradientModel) for kind in MODELS)
    assert isinstance(model("gap"), ClassMapModel)
    assert not isinstance(model("foreign"), ClassMapModel)


def test_an_exact_map_needs_a_head_that_makes_one() -> None:
    with pytest.raises(ModelError) as caught:
        attribute(model("foreign"), films(1), CAM)
    assert caught.value.code == "cam-method"


def test_an_unknown_method_names_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        build_method("grad-kam")
    assert caught.value.code == "unknown-cam-method"
    assert all(name in caught.value.next_step for name in NAMES)
    with pytest.raises(UsageError, match="temperature"):
        build_method("occlusion", temperature=3)
    with pytest.raises(UsageError) as refused:
        method_name("grad-kam")
    assert refused.value.next_step == caught.value.next_step


def test_names_are_told_without_the_methods_and_are_those_of_their_cards() -> None:
    assert [method_name(f" {name.upper()}") for name in NAMES] == [build_method(name).card.name for name in NAMES]
    assert {name: kind.__module__.rpartition(".")[2] for name, kind in registry._registered().items()} == registry._OWN


@pytest.mark.parametrize(
    ("inputs", "findings", "chunk"),
    [
        (np.zeros((1, 48, 40)), None, 4),
        (np.zeros((0, 1, 48, 40)), None, 4),
        (films(1), [FINDINGS], 4),
        (films(1), [-1], 4),
        (films(1), [], 4),
        (films(1), None, 0),
    ],
)
def test_a_wrong_call_is_refused(inputs: np.ndarray, findings: list[int] | None, chunk: int) -> None:
    with pytest.raises(InvalidValueError):
        attribute(model("gap"), inputs, "grad-cam", findings, chunk=chunk)


class Broken:
    """A method whose maps have the wrong shape, or no bounds."""

    card = MethodCard("broken", "Broken", "Nobody 2026", Units.NONE, False, False, "none", "it is broken")

    def __init__(self, shape: tuple[int, ...] = (1, FINDINGS, 2, 2), fill: float = 0.0) -> None:
        self.shape, self.fill = shape, fill

    def maps(self, model, images, findings, chunk):
        return torch.full(self.shape, self.fill)


@pytest.mark.parametrize("method", [Broken((1, 2, 2)), Broken((2, FINDINGS, 2, 2)), Broken(fill=float("nan"))])
def test_maps_that_cannot_be_right_are_refused(method: Broken) -> None:
    with pytest.raises(ModelError) as caught:
        attribute(model("gap"), films(1), method)
    assert caught.value.code == "cam-method"


def test_plug_ins_register_by_decorator_or_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    register_method(Broken)
    assert "broken" in method_names()
    monkeypatch.setattr(registry, "_REGISTRY", {name: registry._REGISTRY[name] for name in NAMES})
    assert "broken" not in method_names()
    entry = EntryPoint("broken", f"{__name__}:Broken", registry.ENTRY_POINTS)
    hijack = EntryPoint("grad-cam", f"{__name__}:Broken", registry.ENTRY_POINTS)
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry, hijack] if group == entry.group else [])
    assert isinstance(build_method("broken"), Broken)
    assert method_name("broken") == "broken"
    assert build_method("grad-cam").card.title == "Grad-CAM"


def test_maps_of_single_findings_have_no_ledger() -> None:
    made = attribute(model("gap"), films(2), "hirescam", [1, 2])
    transform = GridTransform.identity(480, 400).resize(48, 40)
    maps = made.activation_maps([transform, transform], [0.25, -1.0])
    assert [(one.bias, one.method, one.layer) for one in maps[1]] == [
        (0.25, "hirescam", "layer4"),
        (-1.0, "hirescam", "layer4"),
    ]
    assert all(one.relation is Relation.UNSTATED and not one.ledger for film in maps for one in film)
    assert (maps[0][0].transform.source_height, maps[0][0].transform.height) == (480, made.values.shape[2])
    np.testing.assert_array_equal(maps[1][1].values, made.values[1, 1])
    with pytest.raises(InvalidValueError):
        made.activation_maps([transform], [0.0, 0.0])
    with pytest.raises(InvalidValueError):
        made.activation_maps([transform, transform], [0.0])


@pytest.mark.parametrize(("height", "width", "cells"), [(48, 40, 16), (7, 5, 3), (9, 9, 20), (1, 50, 8), (33, 64, 32)])
def test_a_grid_keeps_the_total(height: int, width: int, cells: int) -> None:
    values = torch.from_numpy(np.random.default_rng(0).normal(size=(2, height, width)))
    pooled = summed(values, cells)
    assert pooled.shape[1:] == grid_of(height, width, cells)
    assert max(pooled.shape[1:]) == min(cells, max(height, width))
    torch.testing.assert_close(pooled.sum(dim=(1, 2)), values.sum(dim=(1, 2)))
    if height % pooled.shape[1] == 0 and width % pooled.shape[2] == 0:
        blocks = values.view(2, pooled.shape[1], height // pooled.shape[1], pooled.shape[2], width // pooled.shape[2])
        torch.testing.assert_close(pooled, blocks.sum(dim=(2, 4)))


def test_a_grid_needs_a_cell() -> None:
    with pytest.raises(InvalidValueError):
        grid_of(4, 4, 0)
