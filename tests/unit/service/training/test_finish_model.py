"""A finished model: calibrated, measured, gated and saved, with figures that are true of what was saved."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import binomtest

from medcam.core.card import InputRecipe, ModelCard, RegionRuleKind
from medcam.core.errors import ModelError, UsageError
from medcam.evaluate.classification import auc, expected_calibration_error
from medcam.models.classifier import GapClassifier
from medcam.models.files import WEIGHTS
from medcam.models.loaded import LoadedModel
from medcam.models.preprocess import prepare_array
from medcam.models.registry import load_model
from medcam.models.training.config import TrainingConfig
from medcam.models.training.films import Films
from medcam.models.training.losses import MapParameters
from medcam.models.training.network import new_classifier
from medcam.models.training.validation import pointing_game
from medcam.phantom import render, sample_case
from medcam.service.explanations.finding_codes import finding_cards
from medcam.service.training.finish_model import finish_model, run_on_films

SIDE, COUNT = 64, 48
NAMES = ("Nodule", "Mass", "Atelectasis", "Support Devices", "Consolidation")
TRUE, ANTI, UNJUDGED, ABSENT, PARTLY = range(5)
"""Labels of each finding: they follow the network, contradict it, are missing, are all 0, are half missing."""

CONFIG = TrainingConfig(
    backbone="resnet", backbone_options={"stride": 8, "layers": [1, 1, 1, 1], "block_inplanes": [8, 8, 8, 8]}
)


def parameters() -> MapParameters:
    """Scales and biases that differ from finding to finding, as training leaves them."""
    made = MapParameters(len(NAMES))
    with torch.no_grad():
        made.log_scale.copy_(torch.tensor([1.0, 2.0, 0.5, 3.0, 1.5]))
        made.gap_bias.copy_(torch.tensor([-1.0, 0.5, 0.0, 2.0, -0.5]))
    return made


@torch.inference_mode()
def before(network: GapClassifier, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Maps and logits that training saw: the map times its scale, the mean of that plus its bias."""
    made = parameters()
    maps = network(torch.from_numpy(images.astype(np.float32))[:, None]).maps * made.scale[:, None, None]
    return maps.numpy(), (maps.mean(dim=(2, 3)) + made.gap_bias).numpy()


def labelled(network: GapClassifier, images: np.ndarray, first_patient: int) -> Films:
    """Films whose labels the network knows something about, and masks around the peaks of its maps."""
    maps, logits = before(network, images)
    noise = np.random.default_rng(first_patient).normal(0.0, 1.0, logits.shape)
    middle, spread = np.median(logits, axis=0), logits.std(axis=0)
    labels = ((logits - middle) / spread + noise > 0.0).astype(np.int8)
    labels[:, ANTI] = 1 - labels[:, ANTI]
    labels[:, UNJUDGED], labels[:, ABSENT] = -1, 0
    labels[::2, PARTLY] = -1
    masks = np.repeat(np.repeat(maps >= np.quantile(maps, 0.8, axis=(2, 3), keepdims=True), 4, axis=2), 4, axis=3)
    return Films(
        names=NAMES,
        images=images,
        labels=labels,
        patients=first_patient + np.arange(len(images), dtype=np.int64),
        partners=np.full(len(images), -1, dtype=np.int64),
        masks=masks & (labels == 1)[:, :, None, None],
    )


@dataclass(frozen=True)
class Finished:
    """One run of `finish_model`, with what went in."""

    folder: Path
    card: ModelCard
    network: GapClassifier
    train: Films
    calibration: Films
    maps_before: np.ndarray
    logits_before: np.ndarray

    @cached_property
    def loaded(self) -> LoadedModel:
        return load_model(self.folder)

    def logits(self, films: Films) -> np.ndarray:
        return self.loaded.predict(films.images.astype(np.float32)[:, None]).logits

    def probabilities(self, films: Films) -> np.ndarray:
        return 1.0 / (1.0 + np.exp(-self.logits(films).astype(np.float64)))


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    recipe = InputRecipe(SIDE, SIDE)
    films = [
        prepare_array(render(sample_case(31, i), SIDE, truth=False).linear, recipe).values[0] for i in range(COUNT)
    ]
    return np.stack(films).astype(np.float16)


@pytest.fixture(scope="module")
def blank() -> ModelCard:
    return ModelCard(
        name="tiny",
        version="1",
        findings=finding_cards(NAMES),
        input=InputRecipe(SIDE, SIDE),
        backbone=CONFIG.backbone,
        backbone_options=CONFIG.backbone_options,
        layer="layer4",
        training_data="phantoms",
    )


@pytest.fixture(scope="module")
def finished(images: np.ndarray, blank: ModelCard, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    network = new_classifier(CONFIG, len(NAMES)).eval()
    train, calibration = labelled(network, images, 1000), labelled(network, images, 5000)
    maps, logits = before(network, images)
    card = finish_model(network, parameters(), blank, train, calibration, folder)
    return Finished(folder, card, network, train, calibration, maps, logits)


@pytest.fixture(scope="module")
def halves(finished: Finished) -> tuple[Films, Films]:
    """The half of the calibration patients that sets thresholds, and the half that gives figures."""
    return finished.calibration.split(0.5, seed=0)


def test_calibration_is_a_scale_and_a_shift_of_each_logit(finished: Finished) -> None:
    after = finished.logits(finished.calibration)
    for finding in range(len(NAMES)):
        scale, shift = np.polyfit(finished.logits_before[:, finding], after[:, finding], 1)
        straight = scale * finished.logits_before[:, finding] + shift
        # Saved in half precision, so that the line holds to a thousandth of what is on it.
        size = np.abs(finished.logits_before[:, finding]).max() * scale + abs(shift)
        np.testing.assert_allclose(after[:, finding], straight, atol=5e-3 * max(size, 1.0))
        assert scale > 0.0, "a calibration never turns a finding around"
    moved = np.abs(after - finished.logits_before).max(axis=0)
    assert moved[TRUE] > 0.05
    # Labels that contradict the network, or tell nothing, leave its logits as they were.
    for finding in (ANTI, UNJUDGED, ABSENT):
        assert moved[finding] < 5e-3 * np.abs(finished.logits_before[:, finding]).max()


def test_maps_are_scaled_with_the_logits_and_the_ledger_holds(finished: Finished) -> None:
    prediction = finished.loaded.predict(finished.calibration.images.astype(np.float32)[:, None])
    assert prediction.ledger
    np.testing.assert_allclose(prediction.maps.mean(axis=(2, 3)) + prediction.biases, prediction.logits, atol=1e-4)
    for finding in range(len(NAMES)):
        before_it, after_it = finished.maps_before[:, finding].ravel(), prediction.maps[:, finding].ravel()
        scale = float(before_it @ after_it / (before_it @ before_it))
        assert scale > 0.0
        np.testing.assert_allclose(after_it, scale * before_it, atol=5e-3 * np.abs(after_it).max())


def test_mean_probability_is_the_share_of_films_with_the_finding(
    finished: Finished, halves: tuple[Films, Films]
) -> None:
    """What logistic regression with an intercept is known for (within slight regularisation and half precision)."""
    setting = halves[0]
    probabilities = finished.probabilities(setting)
    for finding in (TRUE, PARTLY):
        known = setting.labels[:, finding] >= 0
        share = setting.labels[known, finding].mean()
        assert 0.2 < share < 0.8
        assert probabilities[known, finding].mean() == pytest.approx(share, abs=0.02)


def test_calibration_improves_calibration(finished: Finished, halves: tuple[Films, Films]) -> None:
    place = np.isin(finished.calibration.patients, halves[0].patients)
    truth = halves[0].labels[:, TRUE]
    uncalibrated = 1.0 / (1.0 + np.exp(-finished.logits_before[place, TRUE].astype(np.float64)))

    def likelihood(probabilities: np.ndarray) -> float:
        return float(np.log(np.where(truth == 1, probabilities, 1.0 - probabilities)).mean())

    assert likelihood(finished.probabilities(halves[0])[:, TRUE]) > likelihood(uncalibrated) + 0.01


def test_thresholds_are_the_best_of_the_setting_half(finished: Finished, halves: tuple[Films, Films]) -> None:
    probabilities = finished.probabilities(halves[0])
    for finding in (TRUE, PARTLY):
        labels = halves[0].labels[:, finding]

        def index(threshold: float, finding: int = finding, labels: np.ndarray = labels) -> float:
            said = probabilities[:, finding] >= threshold
            return float(said[labels == 1].mean() - said[labels == 0].mean())

        best = max(index(value) for value in probabilities[:, finding])
        assert index(finished.card.findings[finding].threshold) == pytest.approx(best)
    assert finished.card.findings[UNJUDGED].threshold == finished.card.findings[ABSENT].threshold == 0.5


def test_figures_are_of_the_other_half(finished: Finished, halves: tuple[Films, Films]) -> None:
    measuring = halves[1]
    logits = finished.logits(measuring)
    for finding in (TRUE, ANTI, PARTLY):
        known = measuring.labels[:, finding] >= 0
        figure = finished.card.findings[finding].performance["auc"]
        assert figure.value == pytest.approx(auc(measuring.labels[known, finding], logits[known, finding]))
        assert figure.low < figure.value < figure.high
        called = finished.probabilities(measuring)[known, finding] >= finished.card.findings[finding].threshold
        right = called == (measuring.labels[known, finding] == 1)
        for label, name in ((1, "sensitivity"), (0, "specificity")):
            share = right[measuring.labels[known, finding] == label].mean()
            assert finished.card.findings[finding].performance[name].value == pytest.approx(share)
    for finding in (UNJUDGED, ABSENT):
        assert not finished.card.findings[finding].performance
    assert finished.card.findings[TRUE].performance["auc"].value > 0.6
    assert finished.card.findings[ANTI].performance["auc"].value < 0.4
    known = measuring.labels >= 0
    error = expected_calibration_error(measuring.labels[known], finished.probabilities(measuring)[known])
    assert finished.card.performance["ece"].value == pytest.approx(error, abs=1e-6)
    aucs = [finished.card.findings[finding].performance["auc"].value for finding in (TRUE, ANTI, PARTLY)]
    assert finished.card.performance["mean-auc"].value == pytest.approx(np.mean(aucs))


def test_pointing_has_wilsons_interval(finished: Finished, halves: tuple[Films, Films]) -> None:
    measuring = halves[1]
    maps = finished.loaded.predict(measuring.images.astype(np.float32)[:, None]).maps
    for finding in (TRUE, ANTI, PARTLY):
        present = measuring.labels[:, finding] == 1
        hits = pointing_game(maps[present, finding], measuring.masks[present, finding])  # type: ignore[index]
        wanted = binomtest(int(hits.sum()), len(hits)).proportion_ci(method="wilson")
        figure = finished.card.findings[finding].performance["pointing"]
        assert figure.value == pytest.approx(hits.mean())
        assert (figure.low, figure.high) == pytest.approx((wanted.low, wanted.high), abs=1e-3)


def test_region_rules_are_calibrated_where_the_truth_is_known(finished: Finished) -> None:
    for finding in (TRUE, ANTI, PARTLY):
        card = finished.card.findings[finding]
        assert card.region_rule.name == "calibrated"
        figures = card.performance
        # The masks are the upper fifth of each map, which the rule can find and 20 % of the maximum cannot.
        assert figures["iou"].value > 0.45
        assert figures["iou"].value >= figures["iou-paper"].value - 0.02
    unknown = finished.card.findings[UNJUDGED].region_rule
    assert (unknown.name, unknown.kind, unknown.threshold) == ("calibrated", RegionRuleKind.PEAK_FRACTION, 0.2)


def test_the_colour_scale_ends_among_the_peaks(finished: Finished, halves: tuple[Films, Films]) -> None:
    maps = finished.loaded.predict(halves[0].images.astype(np.float32)[:, None]).maps
    for finding in (TRUE, ANTI, PARTLY):
        peaks = maps[halves[0].labels[:, finding] == 1, finding].max(axis=(1, 2))
        higher = (peaks > finished.card.findings[finding].map_scale).mean()
        assert higher == pytest.approx(0.25, abs=0.1)
    assert finished.card.findings[UNJUDGED].map_scale == 1.0


def test_the_gate_lets_known_films_pass_and_strange_ones_not(finished: Finished, halves: tuple[Films, Films]) -> None:
    limit = finished.card.out_of_distribution_threshold
    assert limit is not None

    def scores(images: np.ndarray) -> np.ndarray:
        found = finished.loaded.out_of_distribution(images, finished.loaded.predict(images))
        assert found is not None
        return found

    known = scores(halves[0].images.astype(np.float32)[:, None])
    assert 0.0 < (known > limit).mean() <= 0.1
    noise = np.random.default_rng(0).normal(0.0, 1.0, (20, 1, SIDE, SIDE)).astype(np.float32)
    assert (scores(noise) > limit).all()


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
