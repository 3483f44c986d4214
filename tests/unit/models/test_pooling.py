"""The five heads against independent computations in numpy, and what each may say of its map."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from medcam.cam.evidence import evidence
from medcam.cam.exact import activation_maps, check_ledger
from medcam.core.errors import InvalidValueError, ModelError
from medcam.core.geometry import GridTransform
from medcam.core.relation import Relation
from medcam.models.classifier import fold_calibration
from medcam.models.files import load_folder, save_model
from medcam.models.heads import build_head
from medcam.models.loaded import LoadedModel

from .tiny import SIDE, noise, tiny_card, tiny_network

R = 3.0
OPTIONS = {"lse": {"r": R}}


def wanted(name: str, features: np.ndarray, weights: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logits and shown maps, in float64."""
    scores = np.einsum("ck,nkyx->ncyx", weights, features)
    flat = scores.reshape(*scores.shape[:2], -1)
    if name == "gap":
        return flat.mean(axis=2) + bias, scores
    if name == "gmp":
        return features.max(axis=(2, 3)) @ weights.T + bias, scores
    if name == "map-gmp":
        return flat.max(axis=2) + bias, scores
    if name == "lse":
        return np.log(np.exp(R * flat).mean(axis=2)) / R + bias, scores
    sigmoid = 1.0 / (1.0 + np.exp(-scores))
    shown = sigmoid / sigmoid.sum(axis=(2, 3), keepdims=True) * scores
    return shown.sum(axis=(2, 3)) + bias, shown


NAMES = ("gap", "gmp", "lse", "map-gmp", "pcam")


@pytest.mark.parametrize("name", NAMES)
def test_a_head_computes_what_its_paper_says(name: str) -> None:
    rng = np.random.default_rng(1)
    features = rng.gamma(1.0, 1.0, (3, 6, 4, 5))
    torch.manual_seed(0)
    head = build_head(name, 6, 2, **OPTIONS.get(name, {}))
    torch.nn.init.normal_(head.bias)
    with torch.no_grad():
        output = head(torch.from_numpy(features).float())
    logits, maps = wanted(name, features, head.weight.detach().double().numpy(), head.bias.detach().double().numpy())
    np.testing.assert_allclose(output.logits.numpy(), logits, atol=1e-4)
    np.testing.assert_allclose(output.maps.numpy(), maps, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_ledger_is_offered_only_where_the_map_adds_up(name: str) -> None:
    card = tiny_card(head=name)
    prediction = LoadedModel(tiny_network(card), card).predict(noise(1))
    activation = activation_maps(prediction, [GridTransform.identity(SIDE, SIDE)])[0][0]
    logit = float(prediction.logits[0, 0])
    assert prediction.ledger == activation.ledger == (name in ("gap", "pcam"))
    if activation.ledger:
        assert check_ledger(activation, logit) < 1e-4
        assert evidence(activation).logit == pytest.approx(logit, abs=1e-4)
    else:
        with pytest.raises(InvalidValueError, match=activation.relation.words):
            evidence(activation)
        with pytest.raises(InvalidValueError, match=activation.relation.words):
            check_ledger(activation, logit)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("units", [False, True])
def test_a_calibration_is_exact_and_survives_the_disk(name: str, units: bool, tmp_path) -> None:
    options = {**tiny_card().backbone_options, "head": {"finding_units": units, **OPTIONS.get(name, {})}}
    card = tiny_card(head=name, backbone_options=options, out_of_distribution_threshold=None)
    network, films = tiny_network(card), torch.from_numpy(noise(3))
    with torch.inference_mode():
        before = network(films).logits
    scale, shift = torch.tensor([2.0, 0.5, 4.0]), torch.tensor([1.0, -1.0, 0.25])
    fold_calibration(network, scale, shift)
    with torch.inference_mode():
        after = network(films).logits
    assert torch.allclose(after, before * scale + shift, atol=1e-4)
    save_model(tmp_path / "model", network, card)
    loaded = load_folder(tmp_path / "model")
    assert loaded.predict(films.numpy()).relation is network.head.relation
    np.testing.assert_allclose(loaded.predict(films.numpy()).logits, after.numpy(), atol=0.05)


def test_lse_lies_between_the_mean_and_the_maximum() -> None:
    features = torch.rand(2, 4, 6, 6)
    torch.manual_seed(0)
    for r, other in ((1e-5, "gap"), (1e4, "map-gmp")):
        head, limit = build_head("lse", 4, 3, r=r), build_head(other, 4, 3)
        limit.load_state_dict({"weight": head.weight, "bias": head.bias})
        assert torch.allclose(head(features).logits, limit(features).logits, atol=1e-3)
    assert bool(build_head("lse", 4, 3, r=50.0)(1e4 * features).logits.isfinite().all())


def test_an_option_that_a_head_does_not_take_is_refused() -> None:
    for name, options in (("gap", {"r": 2.0}), ("lse", {"r": 0.0}), ("lse", {"r": "much"})):
        with pytest.raises(ModelError) as caught:
            build_head(name, 4, 2, **options)
        assert caught.value.code == "pooling-head"


def test_no_map_gives_the_logit_of_a_gmp_head_and_nonnegative_weights_take_no_calibration() -> None:
    assert build_head("gmp", 4, 2).relation is Relation.FEATURE_MAXIMA
    for refused in (
        lambda: build_head("gmp", 4, 2).pool(torch.zeros(1, 2, 3, 3)),
        lambda: build_head("gap", 4, 2, nonnegative=True).rescale(torch.ones(2)),
    ):
        with pytest.raises(ModelError) as caught:
            refused()
        assert caught.value.code == "pooling-head"
