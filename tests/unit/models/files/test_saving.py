"""Models on disk: what is saved is what was measured, and a whole one stays until the next is whole."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load as load_tensors

from medcam.core.card import ModelCard
from medcam.core.errors import ModelError
from medcam.models.cards import read_card_file
from medcam.models.classifier import GapClassifier
from medcam.models.files import GATE, WEIGHTS, halve, load_folder, save_model
from medcam.models.gate import Gate
from medcam.models.known import CARD
from medcam.models.loaded import LoadedModel

from ..tiny import noise, tiny_card, tiny_network


def test_a_halved_model_predicts_the_same_after_its_trip(tmp_path: Path, network: GapClassifier, gate: Gate) -> None:
    halve(network)
    films = noise(5, seed=1)
    before = LoadedModel(network, tiny_card(), gate).predict(films)
    save_model(tmp_path, network, tiny_card(), gate)
    again = load_folder(tmp_path)
    after = again.predict(films)
    for figure in ("logits", "maps", "biases", "features"):
        np.testing.assert_array_equal(getattr(after, figure), getattr(before, figure))
    scores = again.out_of_distribution(films, after)
    np.testing.assert_array_equal(scores, gate.score(before.features))


def test_halving_rounds_to_half_precision_once_and_stays_in_float32(network: GapClassifier) -> None:
    before = {name: value.clone() for name, value in network.state_dict().items()}
    halve(network)
    once = {name: value.clone() for name, value in network.state_dict().items()}
    assert any(not torch.equal(value, before[name]) for name, value in once.items())
    for name, value in once.items():
        assert value.dtype == before[name].dtype
        torch.testing.assert_close(value, before[name], rtol=1e-3, atol=1e-6)
    halve(network)
    assert all(torch.equal(value, once[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e5])
def test_a_weight_that_half_precision_cannot_hold_is_refused(
    tmp_path: Path, network: GapClassifier, value: float
) -> None:
    with torch.no_grad():
        network.head.weight[0, 0] = value
    for refuse in (lambda: save_model(tmp_path / "new", network, tiny_card()), lambda: halve(network)):
        with pytest.raises(ModelError) as caught:
            refuse()
        assert caught.value.code == "broken-weights"
    assert not (tmp_path / "new").exists()


def test_saving_changes_neither_network_nor_precision_much(tmp_path: Path, network: GapClassifier) -> None:
    before = {name: value.clone() for name, value in network.state_dict().items()}
    save_model(tmp_path, network, tiny_card(out_of_distribution_threshold=None))
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    films = noise(3)
    wanted = LoadedModel(network, tiny_card()).predict(films).logits
    np.testing.assert_allclose(load_folder(tmp_path).predict(films).logits, wanted, atol=0.02)


def test_a_folder_holds_card_weights_and_gate_and_no_leftover(folder: Path, network: GapClassifier) -> None:
    assert {file.name for file in folder.iterdir()} == {CARD, WEIGHTS}
    weights = sum(value.numel() for value in network.state_dict().values())
    assert (folder / WEIGHTS).stat().st_size < 2 * weights + 20_000
    stored = load_tensors((folder / WEIGHTS).read_bytes())
    assert {value.dtype for name, value in stored.items() if not name.startswith(GATE)} == {torch.float16}
    assert {name for name in stored if name.startswith(GATE)} == {"gate.mean", "gate.whitening"}


def test_the_card_names_the_digest_of_the_weights(tmp_path: Path, network: GapClassifier) -> None:
    blank = tiny_card(out_of_distribution_threshold=None)
    card = save_model(tmp_path, network, blank)
    assert card.weights_sha256 == hashlib.sha256((tmp_path / WEIGHTS).read_bytes()).hexdigest()
    assert read_card_file(tmp_path) == card == replace(blank, weights_sha256=card.weights_sha256)
    loaded = load_folder(tmp_path)
    assert loaded.card == card
    assert loaded.out_of_distribution(noise(1), loaded.predict(noise(1))) is None


def test_a_model_saved_without_a_gate_over_one_with_a_gate_has_none(folder: Path) -> None:
    save_model(folder, tiny_network(seed=1), tiny_card(out_of_distribution_threshold=None))
    again = load_folder(folder)
    assert again.out_of_distribution(noise(1), again.predict(noise(1))) is None


def test_an_unbroken_model_is_there_until_the_new_one_is_whole(
    folder: Path, monkeypatch: pytest.MonkeyPatch, network: GapClassifier
) -> None:
    before = load_folder(folder).predict(noise(1)).logits

    def full_disk(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(OSError, match="No space"):
        save_model(folder, tiny_network(seed=5), tiny_card())
    monkeypatch.undo()
    np.testing.assert_array_equal(load_folder(folder).predict(noise(1)).logits, before)


def test_a_card_of_today_is_what_was_saved(folder: Path) -> None:
    card: ModelCard = read_card_file(folder)
    assert card.findings == tiny_card().findings
    assert card.input == tiny_card().input
