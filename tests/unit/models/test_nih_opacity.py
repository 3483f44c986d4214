"""The shipped model of real films: it loads, its ledger holds, and its card says what the page says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from medcam.models.cards import read_card
from medcam.models.known import model_names
from medcam.models.registry import load_model

RECORD = Path(__file__).resolve().parents[3] / "docs" / "experiments" / "figures" / "nih-opacity.json"


def test_it_is_listed_and_its_logits_are_what_its_maps_add_up_to() -> None:
    assert "nih-opacity" in model_names()
    model = load_model("nih-opacity")
    height, width = model.card.input.height, model.card.input.width
    inputs = np.random.default_rng(0).uniform(-1, 1, (2, 1, height, width)).astype(np.float32)
    prediction = model.predict(inputs)
    assert prediction.maps.shape == (2, 1, height // 16, width // 16)
    assert np.allclose(prediction.logits, prediction.maps.mean(axis=(2, 3)) + prediction.biases, atol=1e-4)
    scores = model.out_of_distribution(inputs, prediction)
    assert scores is not None
    assert (scores > model.card.out_of_distribution_threshold).all()


def test_the_card_says_what_the_page_says() -> None:
    card, figures = read_card("nih-opacity"), json.loads(RECORD.read_text())["figures"]
    assert figures["model"] == {"version": card.version, "sha256": card.weights_sha256}
    row = figures["finer"]["figures"]
    told = card.findings[0].performance
    for ours, theirs in (("auc-rsna", "rsna"), ("auc-nih", "nih"), ("pointing", "pointing")):
        assert told[ours].value == pytest.approx(row[theirs]["value"], abs=1e-6)
        assert (told[ours].low, told[ours].high) == pytest.approx((row[theirs]["low"], row[theirs]["high"]), abs=1e-6)
    for name in ("iou", "iobb"):
        assert told[name].value == pytest.approx(row[name]["value"], abs=0.02)


def test_the_card_says_what_it_is_not_for() -> None:
    card = read_card("nih-opacity")
    assert "Not a medical device" in card.intended_use
    assert "NIH Clinical Center" in card.training_licence
    assert card.weights_licence
    assert len(card.limits) >= 3
