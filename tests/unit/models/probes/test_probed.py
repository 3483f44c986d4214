"""A model with probes: the model's own results untouched, the probes' maps adding up to their logits."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from medcam.core.errors import ModelError
from medcam.core.protocols import Classifier
from medcam.core.relation import Relation
from medcam.models.gate import Gate
from medcam.models.loaded import LoadedModel
from medcam.models.probes.layers import layer_channels, pooled_layers
from medcam.models.probes.probe import Probe
from medcam.models.probes.probed import ProbedModel

from ..tiny import SIDE, noise, tiny_card, tiny_network
from .probes import CHANNELS, DIGEST, random_probe, tiny_model

NECK = {"stride": 4, "neck": CHANNELS, "layers": [1, 1, 1, 1], "block_inplanes": [8, 8, 8, 8]}


def test_own_findings_are_what_they_were_without_probes():
    model = tiny_model()
    films = noise(3)
    alone, together = model.predict(films), ProbedModel(model, [random_probe()]).predict(films)

    np.testing.assert_array_equal(together.logits[:, :3], alone.logits)
    np.testing.assert_array_equal(together.maps[:, :3], alone.maps)
    np.testing.assert_array_equal(together.features, alone.features)
    assert together.logits.shape == (3, 4)


@pytest.mark.parametrize("layer", ["layer1", "layer2", "layer4"])
def test_a_probes_map_adds_up_to_its_logit_which_is_linear_in_the_pooled_features(layer: str):
    model, probe, films = tiny_model(), random_probe(layer=layer), noise(3)
    prediction = ProbedModel(model, [probe]).predict(films)
    pooled = pooled_layers(model.network, films, [layer])[layer]

    np.testing.assert_allclose(prediction.maps[:, 3].mean(axis=(1, 2)) + probe.bias, prediction.logits[:, 3], atol=1e-5)
    np.testing.assert_allclose(pooled @ probe.weights + probe.bias, prediction.logits[:, 3], atol=1e-4)
    np.testing.assert_allclose(probe.logits(pooled), prediction.logits[:, 3], atol=1e-4)
    assert prediction.logits[:, 3].std() > 1e-3
    assert prediction.maps.shape[2:] == (SIDE // 8, SIDE // 8)


def test_the_map_is_the_weighted_sum_of_the_layers_features():
    model, probe, films = tiny_model(), random_probe(), noise(2)
    with torch.inference_mode():
        features = model.network.backbone(torch.from_numpy(films)).numpy()

    np.testing.assert_allclose(
        ProbedModel(model, [probe]).predict(films).maps[:, 3], probe.maps(features), rtol=1e-4, atol=1e-4
    )


def test_there_is_one_forward_pass(monkeypatch: pytest.MonkeyPatch):
    model = tiny_model()
    probed = ProbedModel(model, [random_probe("a", "layer1"), random_probe("b", "layer3", 1), random_probe("c")])
    calls = []
    stem = model.network.backbone.network.conv1
    monkeypatch.setattr(stem, "forward", lambda x, forward=stem.forward: calls.append(len(x)) or forward(x))

    probed.predict(noise(2))

    assert calls == [2]


def test_layers_of_a_model_with_neck_and_finding_units():
    options = NECK | {"head": {"finding_units": True}}
    model = tiny_model(backbone_options=options)

    assert list(layer_channels(model)) == ["layer1", "layer2", "layer3", "layer4", "neck", "units.softplus"]
    assert layer_channels(model)["units.softplus"] == 3
    for layer in ("layer1", "layer4", "neck"):
        prediction = ProbedModel(model, [random_probe(layer=layer)]).predict(noise(2))
        assert prediction.maps.shape[2:] == (SIDE // 4, SIDE // 4)
        bias = prediction.biases[3]
        np.testing.assert_allclose(prediction.maps[:, 3].mean(axis=(1, 2)) + bias, prediction.logits[:, 3], atol=1e-5)


def test_beside_a_pcam_head_a_probes_map_is_a_ledger_of_sums_too():
    model = tiny_model(head="pcam")
    probe, films = random_probe(), noise(2)
    prediction = ProbedModel(model, [probe]).predict(films)
    pooled = pooled_layers(model.network, films, ["layer4"])["layer4"]

    assert prediction.relation is Relation.SUM
    np.testing.assert_allclose(prediction.maps[:, 3].sum(axis=(1, 2)) + probe.bias, prediction.logits[:, 3], atol=1e-5)
    np.testing.assert_allclose(probe.logits(pooled), prediction.logits[:, 3], atol=1e-4)


def test_a_head_without_a_ledger_takes_no_probes():
    with pytest.raises(ModelError) as caught:
        ProbedModel(tiny_model(head="map-gmp"), [random_probe()])

    assert caught.value.code == "pooling-head"


def test_the_card_names_model_and_probes():
    model = tiny_model()
    card = ProbedModel(model, [random_probe("pacemaker"), random_probe("clip", "layer2", 1)]).card

    assert card.name == "tiny+pacemaker+clip"
    assert card.finding_names == (*model.card.finding_names, "pacemaker", "clip")
    assert card.findings[3].threshold == 0.3
    assert card.layer == "layer4, layer2"
    assert card.limits == (*model.card.limits, "is random")
    assert len(card.weights_sha256) == 64
    assert card.weights_sha256 not in (DIGEST, ProbedModel(model, [random_probe("pacemaker")]).card.weights_sha256)


def test_it_is_a_classifier_with_the_models_own_gate():
    gate = Gate(np.zeros(CHANNELS), np.eye(CHANNELS))
    card = tiny_card(weights_sha256=DIGEST)
    model = LoadedModel(tiny_network(card), card, gate)
    probed, films = ProbedModel(model, [random_probe()]), noise(2)

    assert isinstance(probed, Classifier)
    np.testing.assert_array_equal(
        probed.out_of_distribution(films, probed.predict(films)), model.out_of_distribution(films, model.predict(films))
    )


@pytest.mark.parametrize(
    ("probes", "code"),
    [
        ([random_probe(digest="00" * 32)], "probe-model"),
        ([random_probe("nodule")], "probe-name"),
        ([random_probe("clip"), random_probe("Clip")], "probe-name"),
        ([random_probe("p" * 60)], "probe-name"),
        ([random_probe(layer="layer9")], "broken-probe"),
        ([Probe(random_probe().card, np.ones(3, dtype=np.float32), 0.0)], "broken-probe"),
    ],
)
def test_what_does_not_belong_together_is_refused(probes, code: str):
    with pytest.raises(ModelError) as caught:
        ProbedModel(tiny_model(), probes)

    assert caught.value.code == code
