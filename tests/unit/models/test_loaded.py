"""A loaded classifier behind the project's protocol."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from medcam.core.card import InputRecipe
from medcam.core.display import DisplayWindow
from medcam.core.errors import InvalidValueError
from medcam.core.protocols import Classifier
from medcam.core.radiograph import Radiograph
from medcam.models import heads
from medcam.models.gate import Gate
from medcam.models.loaded import LoadedModel
from medcam.models.preprocess import prepare

from .test_heads import PeakHead
from .tiny import SIDE, noise, tiny_card, tiny_network

FEATURES = 8


@pytest.fixture
def model() -> LoadedModel:
    return LoadedModel(tiny_network().train(), tiny_card())


def test_it_is_a_classifier_ready_for_use(model: LoadedModel) -> None:
    assert isinstance(model, Classifier)
    assert not model.network.training
    assert all(value.dtype == torch.float32 and not value.requires_grad for value in model.network.parameters())
    assert model.card == tiny_card()


def test_it_prepares_by_its_cards_recipe() -> None:
    film = Radiograph(np.random.default_rng(0).random((50, 70)), DisplayWindow(center=0.5, width=2.0))
    for recipe in (InputRecipe(SIDE, SIDE), InputRecipe(32, 48, channels=3, intensity="window", fit="crop")):
        prepared = LoadedModel(tiny_network(), tiny_card(input=recipe)).prepare(film)
        wanted = prepare(film, recipe)
        np.testing.assert_array_equal(prepared.values, wanted.values)
        assert prepared.transform == wanted.transform


def test_a_prediction_has_one_row_per_film_and_adds_up(model: LoadedModel) -> None:
    prediction = model.predict(noise(4))
    assert prediction.logits.shape == (4, 3)
    assert prediction.maps.shape == (4, 3, SIDE // 8, SIDE // 8)
    assert prediction.features.shape == (4, FEATURES)
    assert prediction.ledger
    np.testing.assert_allclose(prediction.maps.mean(axis=(2, 3)) + prediction.biases, prediction.logits, atol=1e-5)
    weights = model.network.head.weight.numpy()
    np.testing.assert_allclose(prediction.features @ weights.T + prediction.biases, prediction.logits, atol=1e-4)
    assert prediction.logits.std() > 1e-3


def test_films_of_a_batch_do_not_know_of_each_other(model: LoadedModel) -> None:
    films = noise(3)
    together = model.predict(films)
    for number in range(3):
        alone = model.predict(films[number : number + 1])
        np.testing.assert_allclose(alone.maps[0], together.maps[number], atol=1e-5)
        np.testing.assert_allclose(alone.logits[0], together.logits[number], atol=1e-5)
    np.testing.assert_array_equal(model.predict(films).logits, together.logits)


def test_other_types_and_layouts_are_taken_and_left_alone(model: LoadedModel) -> None:
    films = noise(2)
    wanted = model.predict(films).logits
    for given in (films.astype(np.float64), np.asfortranarray(films), films[::-1][::-1], films.tolist()):
        np.testing.assert_allclose(model.predict(given).logits, wanted, atol=1e-6)
    frozen = films.copy()
    frozen.flags.writeable = False
    np.testing.assert_array_equal(model.predict(frozen).logits, wanted)
    np.testing.assert_array_equal(films, noise(2))


@pytest.mark.parametrize(
    "shape",
    [(1, SIDE, SIDE), (SIDE, SIDE), (2, 3, SIDE, SIDE), (1, 1, SIDE, SIDE + 1), (1, 1, 32, 32), (0, 1, SIDE, SIDE)],
)
def test_inputs_of_another_shape_are_refused(model: LoadedModel, shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidValueError) as caught:
        model.predict(np.zeros(shape, dtype=np.float32))
    assert caught.value.code == "invalid-value"
    assert f"[n, 1, {SIDE}, {SIDE}]" in caught.value.message


def test_a_prediction_cannot_be_changed(model: LoadedModel) -> None:
    prediction = model.predict(noise(1))
    for figure in ("logits", "maps", "biases", "features"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(prediction, figure)[0] = 1.0


def test_a_gate_scores_the_pooled_features(model: LoadedModel) -> None:
    films = noise(3)
    prediction = model.predict(films)
    assert model.out_of_distribution(films, prediction) is None
    gate = Gate(np.full(FEATURES, 0.5), 2.0 * np.eye(FEATURES))
    scores = LoadedModel(model.network, model.card, gate).out_of_distribution(films, prediction)
    assert scores is not None
    wanted = np.sqrt(((2.0 * (prediction.features - 0.5)) ** 2).mean(axis=1))
    np.testing.assert_allclose(scores, wanted, rtol=1e-5)


def test_a_head_without_a_ledger_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(heads._REGISTRY, "peak", PeakHead)
    card = tiny_card(head="peak")
    prediction = LoadedModel(tiny_network(card), card).predict(noise(2))
    assert not prediction.ledger
    np.testing.assert_allclose(prediction.maps.max(axis=(2, 3)) + prediction.biases, prediction.logits, atol=1e-6)
