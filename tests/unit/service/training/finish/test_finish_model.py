"""What finishing leaves: a whole model in a folder that is what was measured, or a refusal and no model."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from finished_model import CONFIG, NAMES, TRUE, Finished, parameters

from medcam.core.card import ModelCard
from medcam.core.errors import ModelError, UsageError
from medcam.models.files import WEIGHTS
from medcam.models.training.network import new_classifier
from medcam.service.explanations.finding_codes import finding_cards
from medcam.service.training.finish_model import finish_model, run_on_films


def test_the_folder_is_a_model_and_holds_the_card(finished: Finished) -> None:
    weights = (finished.folder / WEIGHTS).read_bytes()
    assert finished.card.weights_sha256 == hashlib.sha256(weights).hexdigest()
    assert finished.loaded.card == finished.card
    for kept in ("name", "version", "input", "backbone", "layer", "training_data"):
        assert getattr(finished.card, kept) == getattr(finished.loaded.card, kept)
    assert finished.card.training_data == "phantoms"
    assert [card.code for card in finished.card.findings] == [card.code for card in finding_cards(NAMES)]
    # What was measured is what was saved.
    films = finished.calibration
    np.testing.assert_array_equal(run_on_films(finished.network, films).logits, finished.logits(films))


def test_films_are_run_in_batches_of_any_size(finished: Finished) -> None:
    films = finished.calibration.subset(np.arange(7))
    whole, parts = run_on_films(finished.network, films), run_on_films(finished.network, films, batch=3)
    for figure in ("maps", "logits", "features"):
        np.testing.assert_allclose(getattr(parts, figure), getattr(whole, figure), atol=1e-4)
    assert whole.features.shape == (7, 8)
    np.testing.assert_allclose(whole.probabilities, 1.0 / (1.0 + np.exp(-whole.logits.astype(np.float64))), atol=1e-6)


def test_films_without_masks_give_a_card_without_localisation(
    finished: Finished, blank: ModelCard, images: np.ndarray, tmp_path: Path
) -> None:
    network = new_classifier(CONFIG, len(NAMES)).eval()
    calibration = replace(finished.calibration, masks=None)
    card = finish_model(network, parameters(), blank, finished.train, calibration, tmp_path)
    assert set(card.findings[TRUE].performance) == {"auc", "sensitivity", "specificity"}
    assert card.findings[TRUE].region_rule.name == "calibrated"
    assert card.findings[TRUE].region_rule.threshold == 0.2
    assert set(card.performance) == {"ece", "mean-auc"}


def test_what_cannot_be_finished_is_refused_and_leaves_no_model(
    finished: Finished, blank: ModelCard, tmp_path: Path
) -> None:
    one = finished.calibration.subset(np.array([0]))
    with pytest.raises(UsageError):
        finish_model(new_classifier(CONFIG, 5), parameters(), blank, finished.train, one, tmp_path / "one")
    broken = new_classifier(CONFIG, 5)
    torch.nn.init.constant_(broken.head.weight, float("nan"))
    with pytest.raises(ModelError):
        finish_model(broken, parameters(), blank, finished.train, finished.calibration, tmp_path / "broken")
    assert not list(tmp_path.glob("*/card.json"))
