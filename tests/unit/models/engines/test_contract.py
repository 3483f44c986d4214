"""What every engine must do, whatever it is: one contract for all, on each pooling head and with probes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch

from medcam.core.relation import Relation
from medcam.models.engines import processor, torch_engine
from medcam.models.engines.budget import Budget, errors_between
from medcam.models.engines.choose import with_engine
from medcam.models.engines.engine import FeatureEngine
from medcam.models.engines.openvino_engine import OpenVinoEngine, openvino_precisions
from medcam.models.loaded import LoadedModel
from medcam.models.probes.probed import ProbedModel

from ..probes.probes import DIGEST, random_probe
from ..tiny import OPTIONS, SIDE, noise, tiny_card, tiny_network

LOOSE = Budget(logit=1.0, map=0.1)
"""Random networks are not what the budget is made for."""
NEAR = {"fp32": Budget(1e-4, 1e-4), "bf16": Budget(0.5, 0.05), "fp16": Budget(0.05, 0.02)}

pytestmark = pytest.mark.skipif(not openvino_precisions(), reason="OpenVINO is not installed")


@pytest.fixture(params=["reference", "torch:fp32", "torch:bf16", "torch-cuda:fp32", "openvino:fp32", "openvino:bf16"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """Its name; the GPU is played by the CPU."""
    name = str(request.param)
    if name == "torch:bf16" and not processor.has_bf16():
        pytest.skip("no bf16 on this processor")
    if name == "openvino:bf16" and "bf16" not in openvino_precisions():
        pytest.skip("no bf16 on this processor")
    monkeypatch.setattr(processor, "has_cuda", lambda: True)
    monkeypatch.setattr(torch_engine, "device_of", lambda _name: "cpu")
    return None if name == "reference" else name


def on(engine: str | None, **changes: Any) -> LoadedModel:
    """The tiny model on that engine, and on no other."""
    card = tiny_card(**changes)
    model = with_engine(LoadedModel(tiny_network(card), card), engine, budget=LOOSE)
    told = "torch:fp32" if engine is None else engine
    assert f"{model.engine.name}:{model.engine.precision}" == told, model.chosen.notes
    return model


def near(model: LoadedModel) -> Budget:
    return NEAR[model.engine.precision]


@pytest.mark.parametrize("head", ["gap", "gmp", "map-gmp", "lse", "pcam"])
def test_it_predicts_what_the_reference_does_and_the_logits_follow_from_the_maps(engine: str | None, head: str) -> None:
    model, reference = on(engine, head=head), on(None, head=head)
    films = noise(5)
    given, wanted = model.predict(films), reference.predict(films)
    assert given.maps.shape == wanted.maps.shape
    assert errors_between(wanted, given).within(near(model))
    totals = {Relation.MEAN: given.maps.mean(axis=(2, 3)), Relation.SUM: given.maps.sum(axis=(2, 3))}
    totals[Relation.MAXIMUM] = given.maps.max(axis=(2, 3))
    if given.relation in totals:  # in fp32, whatever the engine computes in
        np.testing.assert_allclose(totals[given.relation] + given.biases, given.logits, rtol=1e-5, atol=1e-4)


def test_its_layers_are_float32_on_the_cpu_and_its_input_stays(engine: str | None) -> None:
    model = on(engine)
    films = noise(3)
    with torch.inference_mode():
        found = model.chosen.features.layers(model.checked(films))
    assert isinstance(model.chosen.features, FeatureEngine)
    assert {name: (value.dtype, tuple(value.shape), value.device.type) for name, value in found.items()} == {
        "layer4": (torch.float32, (3, 8, SIDE // 8, SIDE // 8), "cpu")
    }
    np.testing.assert_array_equal(films, noise(3))


def test_a_film_gets_the_same_alone_and_in_any_company(engine: str | None) -> None:
    model, films = on(engine), noise(7)
    together = model.predict(films)
    np.testing.assert_array_equal(model.predict(films).maps, together.maps)
    for count in (1, 2, 5):
        some = model.predict(films[:count])
        np.testing.assert_allclose(some.maps, together.maps[:count], atol=near(model).logit)
        np.testing.assert_allclose(some.logits, together.logits[:count], atol=near(model).logit)


def test_results_of_an_earlier_call_are_not_written_over(engine: str | None) -> None:
    model = on(engine)
    first = model.predict(noise(2))
    kept = first.maps.copy()
    model.predict(noise(2, seed=1))
    np.testing.assert_array_equal(first.maps, kept)


def test_several_threads_may_call_it(engine: str | None) -> None:
    model = on(engine)
    wanted = [model.predict(noise(2, seed)).logits for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        given = list(pool.map(lambda seed: model.predict(noise(2, seed)).logits, range(8)))
    np.testing.assert_allclose(np.array(given), np.array(wanted), atol=1e-5)


def test_units_and_neck_are_part_of_it(engine: str | None) -> None:
    options = OPTIONS | {"stride": 4, "neck": 8, "head": {"finding_units": True}}
    model, reference = on(engine, backbone_options=options), on(None, backbone_options=options)
    films = noise(3)
    given, wanted = model.predict(films), reference.predict(films)
    assert errors_between(wanted, given).within(near(model))
    assert given.pooled is not None
    assert wanted.pooled is not None
    np.testing.assert_allclose(given.pooled, wanted.pooled, atol=0.1 if model.engine.precision != "fp32" else 1e-4)


@pytest.mark.parametrize("layer", ["layer2", "layer4"])
def test_probes_read_their_layers_from_it(engine: str | None, layer: str) -> None:
    card = tiny_card(weights_sha256=DIGEST)
    plain = ProbedModel(LoadedModel(tiny_network(card), card), [random_probe(layer=layer)])
    model = with_engine(plain, engine, budget=LOOSE)
    films = noise(3)
    given, wanted = model.predict(films), plain.predict(films)
    assert given.logits.shape == (3, 4)
    assert errors_between(wanted, given).within(near(model))
    np.testing.assert_allclose(given.maps.mean(axis=(2, 3)) + given.biases, given.logits, rtol=1e-5, atol=1e-4)


def test_the_model_that_was_given_stays_on_its_engine(engine: str | None) -> None:
    card = tiny_card()
    model = LoadedModel(tiny_network(card), card)
    before = {name: (value.clone(), value.stride()) for name, value in model.network.state_dict().items()}
    wanted = model.predict(noise(2)).logits
    other = with_engine(model, engine, budget=LOOSE)
    assert (model.engine.name, model.engine.precision, model.engine.max_logit_error) == ("torch", "fp32", 0.0)
    np.testing.assert_array_equal(model.predict(noise(2)).logits, wanted)
    for name, value in model.network.state_dict().items():
        assert torch.equal(value, before[name][0])
        assert value.stride() == before[name][1]
    assert other.network is model.network
    back = with_engine(other, None)
    np.testing.assert_array_equal(back.predict(noise(2)).logits, wanted)


def test_openvino_takes_films_two_by_two_in_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    model = on("openvino:fp32")
    sizes = []
    request = OpenVinoEngine._request

    def counted(self: OpenVinoEngine, images: torch.Tensor) -> list[torch.Tensor]:
        sizes.append(len(images))
        return request(self, images)

    monkeypatch.setattr(OpenVinoEngine, "_request", counted)
    model.predict(noise(5))
    assert sizes == [2, 2, 1]
