"""Measuring on phantoms: of a model that knows everything, of one that looks elsewhere, and of hand-made films."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from medcam.core.card import FindingCard, InputRecipe, ModelCard, RegionRule, RegionRuleKind
from medcam.core.errors import UsageError
from medcam.core.prediction import Prediction
from medcam.core.protocols import ModelInput
from medcam.core.radiograph import Radiograph
from medcam.models.files import save_model
from medcam.models.loaded import LoadedModel
from medcam.models.preprocess import prepare, prepare_array
from medcam.models.registry import load_model
from medcam.phantom import FINDINGS, render, sample_case
from medcam.service.explanations.finding_codes import finding_cards
from medcam.service.measure.model import (
    FilmMeasurement,
    PhantomStudy,
    PresentFinding,
    measure_film,
    measure_on_phantoms,
    summarise,
)

STUDY = PhantomStudy(seed=77, count=6, size=128)
CELLS = 32
RULE = RegionRule("calibrated", RegionRuleKind.PEAK_FRACTION, 0.5, largest_only=False)
CARD = ModelCard(
    name="oracle",
    version="1",
    findings=tuple(replace(card, region_rule=RULE) for card in finding_cards(FINDINGS)),
    input=InputRecipe(64, 64),
    backbone="none",
    weights_sha256="0" * 64,
)


class Oracle:
    """A classifier whose maps are the truth of one phantom, or lie wherever the truth does not."""

    def __init__(self, index: int, *, elsewhere: bool = False, card: ModelCard = CARD) -> None:
        self.card = card
        truths = {truth.name: truth.mask for truth in render(sample_case(STUDY.seed, index), STUDY.size).truths}
        step = STUDY.size // CELLS
        self.maps = np.zeros((1, len(FINDINGS), CELLS, CELLS), dtype=np.float32)
        for number, name in enumerate(FINDINGS):
            if name in truths:
                share = truths[name].reshape(CELLS, step, CELLS, step).mean(axis=(1, 3))
                self.maps[0, number] = 10.0 * (share == 0.0) if elsewhere else 10.0 * share
        self.logits = np.where([[name in truths for name in FINDINGS]], 6.0, -6.0).astype(np.float32)

    def prepare(self, radiograph: Radiograph) -> ModelInput:
        return prepare(radiograph, self.card.input)

    def predict(self, inputs: np.ndarray) -> Prediction:
        return Prediction(self.logits, self.maps, np.zeros(len(FINDINGS)), np.zeros((len(inputs), 1)), ledger=False)

    def out_of_distribution(self, inputs: np.ndarray, prediction: Prediction) -> np.ndarray:
        return np.array([float(inputs.std())], dtype=np.float32)


def measured(index: int, **options: bool) -> FilmMeasurement:
    return measure_film(cast(LoadedModel, Oracle(index, **options)), STUDY, index)


@pytest.fixture(scope="module")
def films() -> list[FilmMeasurement]:
    """Six phantoms, measured by a model that knows everything."""
    return [measured(index) for index in range(STUDY.count)]


def test_what_is_there_is_what_the_phantom_says(films: list[FilmMeasurement]) -> None:
    assert sum(len(film.present) for film in films) >= 6
    for film in films:
        truths = render(sample_case(STUDY.seed, film.index), STUDY.size).truths
        assert [(p.name, p.difficulty) for p in film.present] == [(t.name, t.difficulty) for t in truths]
        assert [logit > 0 for logit in film.logits] == [name in {t.name for t in truths} for name in FINDINGS]


def test_a_model_that_knows_everything_scores_high(films: list[FilmMeasurement]) -> None:
    for film in films:
        for present in film.present:
            assert present.hit, present.name
            assert present.iou > (0.25 if present.name == "Nodule" else 0.5), present
            assert present.iou_paper > 0.15
    figures = summarise(films, cast(LoadedModel, Oracle(0)), STUDY)
    assert figures.pointing.value == 1.0
    assert figures.iou.value > 0.6
    assert figures.mean_auc == 1.0
    assert figures.calibration_error == pytest.approx(1.0 / (1.0 + math.exp(6.0)), abs=1e-6)


def test_a_model_that_looks_elsewhere_scores_low() -> None:
    films = [measured(index, elsewhere=True) for index in range(STUDY.count)]
    assert [present for film in films for present in film.present if present.hit] == []
    figures = summarise(films, cast(LoadedModel, Oracle(0)), STUDY)
    assert figures.pointing.value == 0.0
    assert figures.iou.value < 0.1
    # Right for the wrong reason: the scores do not tell.
    assert figures.mean_auc == 1.0


def test_findings_that_a_model_does_not_know_are_not_asked_of_it() -> None:
    index = next(i for i in range(STUDY.count) if sample_case(STUDY.seed, i).findings)
    whole = Oracle(index)
    known = [name for number, name in enumerate(FINDINGS) if whole.maps[0, number].any()][:1]
    places = [FINDINGS.index(name) for name in known]
    few = Oracle(index, card=replace(CARD, findings=tuple(CARD.findings[place] for place in places)))
    few.maps, few.logits = few.maps[:, places], few.logits[:, places]
    few.predict = lambda inputs: Prediction(few.logits, few.maps, np.zeros(1), np.zeros((1, 1)))  # type: ignore[method-assign]
    film = measure_film(cast(LoadedModel, few), STUDY, index)
    assert [present.name for present in film.present] == known
    assert len(film.logits) == 1


@pytest.mark.parametrize("intensity", ["percentile", "window"])
def test_a_film_is_prepared_by_the_models_recipe(intensity: str) -> None:
    """Whichever it is, the film keeps its grey levels."""
    recipe = InputRecipe(64, 64, intensity=intensity)
    seen: list[np.ndarray] = []
    oracle = Oracle(0, card=replace(CARD, input=recipe))

    def look(inputs: np.ndarray) -> Prediction:
        seen.append(inputs)
        return Oracle.predict(oracle, inputs)

    oracle.predict = look  # type: ignore[method-assign]
    measure_film(cast(LoadedModel, oracle), STUDY, 0)
    wanted = prepare_array(render(sample_case(STUDY.seed, 0), STUDY.size).linear, recipe).values
    np.testing.assert_allclose(seen[0][0], wanted, atol=0.05)


def film(index: int, logit: float, difficulty: str = "", *, strange: float | None = 1.0) -> FilmMeasurement:
    """A hand-made measurement of a model of nodules; an empty difficulty means that there is none."""
    there = (
        (PresentFinding("Nodule", difficulty, hit=logit > 1.0, iou=logit / 10.0, iou_paper=0.1),) if difficulty else ()
    )
    return FilmMeasurement(index, (logit,), there, strange)


NODULES = cast(
    LoadedModel,
    type("Model", (), {"card": replace(CARD, findings=(FindingCard("Nodule"),), out_of_distribution_threshold=1.5)}),
)
HAND_MADE = [
    film(0, 4.0, "plain"),
    film(1, 2.0, "moderate", strange=2.0),
    film(2, -3.0, "subtle"),
    film(3, 0.5, "subtle"),
    film(4, -2.0, strange=1.5),
    film(5, 3.0),
]


def test_figures_of_hand_made_films() -> None:
    figures = summarise(HAND_MADE, NODULES, PhantomStudy(1, 6))
    nodule = figures.findings["Nodule"]
    assert nodule.n == 4
    # Moderate and plain against absent: 4 > -2, 4 > 3, 2 > -2, and 2 < 3. Subtle: 0.5 > -2 alone.
    assert nodule.auc is not None
    assert nodule.auc_subtle is not None
    assert nodule.auc.value == 0.75
    assert nodule.auc_subtle.value == 0.25
    assert nodule.pointing is not None
    assert nodule.pointing.value == 0.5
    assert nodule.pointing_by_difficulty == {"subtle": 0.0, "moderate": 1.0, "plain": 1.0}
    assert nodule.iou_by_difficulty == pytest.approx({"subtle": -0.125, "moderate": 0.2, "plain": 0.4})
    assert figures.mean_auc == 0.75
    assert figures.iou.value == pytest.approx((0.4 + 0.2 - 0.3 + 0.05) / 4)
    assert figures.iou_paper.value == pytest.approx(0.1)
    # Over the threshold of 1.5, not at it.
    assert figures.false_alarms == pytest.approx(1 / 6)
    truth = np.array([1, 1, 1, 1, 0, 0])
    probabilities = 1.0 / (1.0 + np.exp([-4.0, -2.0, 3.0, -0.5, 2.0, -3.0]))
    bins = np.floor(probabilities * 15)
    error = sum(abs((probabilities - truth)[bins == number].sum()) for number in np.unique(bins)) / 6
    assert figures.calibration_error == pytest.approx(error)


def test_several_findings_of_one_film_are_one_patient() -> None:
    """Eight findings of one patient say less than eight patients: the interval must not narrow as if they were."""
    card = replace(CARD, findings=tuple(FindingCard(name) for name in FINDINGS), out_of_distribution_threshold=None)
    model = cast(LoadedModel, type("Model", (), {"card": card}))
    rng = np.random.default_rng(0)

    def width(per_film: int) -> float:
        films = []
        for index in range(40):
            iou = float(rng.random())
            there = tuple(PresentFinding(name, "plain", True, iou, iou) for name in FINDINGS[:per_film])
            logits = tuple(rng.normal(size=len(FINDINGS)).tolist())
            films.append(FilmMeasurement(index, logits, there, None))
        interval = summarise([*films, FilmMeasurement(99, (0.0,) * 8, (), None)], model, STUDY).iou
        return interval.high - interval.low

    assert width(8) == pytest.approx(width(1), rel=0.4)


def test_a_model_without_a_gate_raises_no_alarm() -> None:
    ungated = [replace(measurement, strangeness=None) for measurement in HAND_MADE]
    assert summarise(ungated, NODULES, PhantomStudy(1, 6)).false_alarms is None


def test_labels_that_phantoms_never_have_do_not_count_as_absent() -> None:
    """A model may know more than phantoms show: nothing is known of the rest, and so nothing is measured on it."""
    findings = (FindingCard("Nodule"), FindingCard("Pneumonia"))
    card = replace(CARD, findings=findings, out_of_distribution_threshold=1.5)
    both = cast(LoadedModel, type("Model", (), {"card": card}))
    more = [replace(measurement, logits=(*measurement.logits, 9.0)) for measurement in HAND_MADE]
    alone, figures = summarise(HAND_MADE, NODULES, STUDY), summarise(more, both, STUDY)
    assert figures.calibration_error == pytest.approx(alone.calibration_error)
    assert figures.mean_auc == alone.mean_auc
    assert set(figures.findings) == {"Nodule"}


@pytest.mark.parametrize("films", [[film(0, 1.0)], [film(0, 1.0, "plain")], [film(0, 1.0, "subtle"), film(1, 0.0)]])
def test_films_that_tell_too_little_leave_figures_out(films: list[FilmMeasurement]) -> None:
    figures = summarise(films, NODULES, PhantomStudy(1, len(films)))
    assert figures.mean_auc is None
    text = json.dumps(figures.as_dict(), allow_nan=False)
    assert json.loads(text)["findings"]["Nodule"]["n"] == sum(len(film.present) for film in films)


def test_figures_are_plain_values(films: list[FilmMeasurement]) -> None:
    fields = json.loads(json.dumps(summarise(films, cast(LoadedModel, Oracle(0)), STUDY).as_dict(), allow_nan=False))
    assert fields["study"] == {"seed": 77, "count": 6, "size": 128}
    assert (fields["model"], fields["weights_sha256"]) == ("oracle", "0" * 64)
    assert set(fields["findings"]) == set(FINDINGS)


def test_a_loaded_model_is_measured_in_processes_as_in_this_one(tiny_model_folder: Path) -> None:
    study, model = PhantomStudy(seed=9, count=3, size=64), load_model(tiny_model_folder)
    here = [measure_film(model, study, index) for index in range(study.count)]
    phantom = render(sample_case(9, 0), 64)
    input_ = prepare_array(phantom.linear, model.card.input).values[None]
    np.testing.assert_allclose(here[0].logits, model.predict(input_).logits[0], atol=1e-3)
    told: list[tuple[int, int]] = []
    figures = measure_on_phantoms(tiny_model_folder, study, progress=lambda *step: told.append(step))
    assert told == [(3, 3)]
    wanted = summarise(here, model, study)
    assert figures.findings.keys() == wanted.findings.keys()
    assert figures.calibration_error == pytest.approx(wanted.calibration_error, abs=1e-5)
    assert figures.pointing == wanted.pointing
    assert figures.weights_sha256 == model.card.weights_sha256


def test_a_model_of_other_findings_and_an_empty_study_are_refused(tiny_model_folder: Path, tmp_path: Path) -> None:
    loaded = load_model(tiny_model_folder)
    findings = tuple(replace(card, name=f"other {n}") for n, card in enumerate(loaded.card.findings))
    save_model(tmp_path, loaded.network, replace(loaded.card, findings=findings))
    for model, count in ((tmp_path, 5), (tiny_model_folder, 0)):
        with pytest.raises(UsageError):
            measure_on_phantoms(model, PhantomStudy(1, count, 64))
