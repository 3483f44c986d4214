"""A GAP head on a foreign network: the same logits where the tail allows it, trained and saved like one's own."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from monai.networks.nets import resnet18

from medcam.core.protocols import Classifier
from medcam.core.relation import Relation
from medcam.models import backbones
from medcam.models.backbones import register_backbone
from medcam.models.classifier import GapClassifier
from medcam.models.files import load_folder, save_model
from medcam.models.loaded import LoadedModel
from medcam.models.surgery.gap_head import with_gap_head
from medcam.models.surgery.walked import watch

from ..tiny import tiny_card
from .foreign import KEPT, SIDE, probe, restless


@pytest.mark.parametrize("name", KEPT)
def test_the_logits_stay_what_they_were(name: str) -> None:
    torch.manual_seed(0)
    network = restless(KEPT[name]())
    before = copy.deepcopy(network.state_dict())
    classifier = with_gap_head(network, probe=probe())
    images = torch.randn(3, 1, SIDE, SIDE)
    with torch.inference_mode():
        output, wanted = classifier(images), network(images)
    assert isinstance(classifier, GapClassifier)
    assert classifier.head.relation is Relation.MEAN
    torch.testing.assert_close(output.logits, wanted, atol=1e-4, rtol=1e-5)
    means = output.maps.double().numpy().mean(axis=(2, 3)) + classifier.head.bias.detach().double().numpy()
    np.testing.assert_allclose(means, wanted.numpy(), atol=1e-4)
    assert min(output.maps.shape[2:]) > 1
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


@pytest.mark.parametrize("name", ["densenet121", "mean", "untraceable"])
def test_the_weights_before_the_tail_are_the_networks_own(name: str) -> None:
    network = KEPT[name]().eval()
    kept = {
        key.removeprefix("backbone.network.").removeprefix("network.").replace(".layer.", "."): value
        for key, value in with_gap_head(network, 5, replace=True, probe=probe()).state_dict().items()
        if key.startswith("backbone.")
    }
    own = {key: value for key, value in network.state_dict().items() if not key.startswith(("fc", "class_layers"))}
    assert kept.keys() == own.keys()
    assert all(torch.equal(kept[key], own[key]) for key in own)


def test_a_copy_can_be_trained_and_no_hook_is_left() -> None:
    for name in ("mean", "untraceable"):
        network = KEPT[name]()
        classifier = with_gap_head(network, probe=probe()).train()
        classifier(probe()).logits.sum().backward()
        assert all(parameter.grad is not None for parameter in classifier.parameters())
        assert all(parameter.grad is None for parameter in network.parameters())
        watch(network.eval(), probe())
        for module in (*classifier.modules(), *network.modules()):
            assert not module._forward_hooks
            assert not module._forward_pre_hooks


def test_a_probe_is_made_where_none_is_given() -> None:
    network = resnet18(spatial_dims=2, n_input_channels=3, num_classes=2).eval()
    classifier = with_gap_head(network)
    assert (classifier.layer, classifier.backbone.stride, classifier.backbone.out_channels) == ("layer4.1.act", 16, 512)


def test_a_foreign_network_explains_and_survives_the_disk(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(backbones, "_REGISTRY", dict(backbones._REGISTRY))
    torch.manual_seed(0)
    network = restless(KEPT["mean"]())
    classifier = with_gap_head(network, probe=probe())
    register_backbone("foreign")(
        lambda in_channels, stride: with_gap_head(KEPT["mean"]().eval(), probe=probe(in_channels)).backbone
    )
    card = tiny_card(backbone="foreign", backbone_options={}, out_of_distribution_threshold=None)
    model = LoadedModel(classifier, card)
    assert isinstance(model, Classifier)
    prediction = model.predict(probe().numpy())
    np.testing.assert_allclose(prediction.logits, network(probe()).detach().numpy(), atol=1e-4)
    assert prediction.relation is Relation.MEAN
    save_model(tmp_path / "model", classifier, card)
    again = load_folder(tmp_path / "model").predict(probe().numpy())
    np.testing.assert_allclose(again.logits, prediction.logits, atol=0.01)
