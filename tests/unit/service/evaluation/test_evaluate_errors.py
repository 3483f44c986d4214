import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from medcam.core.card import ModelCard
from medcam.core.errors import ModelError, UsageError
from medcam.core.geometry import Box
from medcam.core.prediction import Prediction
from medcam.core.zones import OUTSIDE
from medcam.evaluate.triage import Cause, Mistake
from medcam.models.classifier import build_classifier
from medcam.models.loaded import LoadedModel
from medcam.models.preprocess import prepare
from medcam.service.evaluation.cohort import Cohort
from medcam.service.evaluation.error_report import FIGURES, INDEX, evaluate_errors
from medcam.service.evaluation.errors import film_errors

CELLS = 16


class Drawn:
    """A classifier whose maps are what a test draws: one finding, the same map on every film."""

    def __init__(self, cells: np.ndarray, card: ModelCard) -> None:
        self._maps = np.asarray(cells, dtype=np.float32)[None, None]
        self.card = replace(card, findings=(replace(card.findings[0], name="Consolidation", threshold=0.5),))

    def prepare(self, radiograph):
        return prepare(radiograph, self.card.input)

    def predict(self, inputs) -> Prediction:
        maps = np.repeat(self._maps, len(inputs), axis=0)
        none = np.zeros(1, np.float32)
        features = np.zeros((len(inputs), 1), np.float32)
        return Prediction(logits=maps.mean(axis=(2, 3)), maps=maps, biases=none, features=features)

    def out_of_distribution(self, inputs, prediction):
        return None


@pytest.fixture
def film(cohort_folder):
    """A film without the finding and without marks."""
    return replace(next(iter(Cohort(cohort_folder))), labels={"Consolidation": 0}, marks=())


def most(mask: np.ndarray) -> tuple[int, int]:
    """Row and column of the cell of which a mask [96, 96] covers most."""
    covered = mask.reshape(CELLS, 6, CELLS, 6).mean(axis=(1, 3))
    row, column = divmod(int(covered.argmax()), CELLS)
    return row, column


def drawn(where: np.ndarray, card: ModelCard, logit: float = 3.0) -> Drawn:
    return Drawn(where / where.sum() * logit * CELLS**2, card)


def only(errors):
    [error] = errors
    return error


def test_an_answer_is_wrong_where_it_is_not_the_label(cohort_folder, tiny_model) -> None:
    films = list(Cohort(cohort_folder))
    found = {(error.film, error.finding): error for error in film_errors(films, tiny_model)}
    for film in films:
        probabilities = tiny_model.predict(tiny_model.prepare(film.radiograph).values[None]).probabilities[0]
        for card, probability in zip(tiny_model.card.findings, probabilities, strict=True):
            present, error = probability >= card.threshold, found.get((film.name, card.name))
            assert (error is not None) == (present != film.labels[card.name])
            if error is not None:
                assert error.mistake is (Mistake.FALSE_POSITIVE if present else Mistake.FALSE_NEGATIVE)
                odds = probability / (1 - probability) * (1 - card.threshold) / card.threshold
                assert error.margin == pytest.approx(math.log(odds), abs=1e-4)
                assert error.evidence.logit == pytest.approx(math.log(probability / (1 - probability)), abs=1e-4)


def test_findings_without_a_label_are_passed_over(cohort_folder, tiny_model) -> None:
    films = [replace(film, labels={"Nodule": film.labels["Nodule"]}) for film in Cohort(cohort_folder)]
    assert {error.finding for error in film_errors(films, tiny_model)} <= {"Nodule"}


def test_a_reason_follows_from_where_the_evidence_lies(film, tiny_model) -> None:
    lungs = np.any([mask for name, mask in film.zones.masks.items() if name.endswith("lung")], axis=0)
    places = {
        Cause.EXPECTED: lungs,
        Cause.OUTSIDE: film.zones.masks[OUTSIDE],
        Cause.ELSEWHERE: film.zones.masks["below-diaphragm"],
    }
    for cause, mask in places.items():
        spot = np.zeros((CELLS, CELLS), dtype=bool)
        spot[most(mask)] = True
        assert only(film_errors([film], drawn(spot, tiny_model.card))).cause is cause
    everywhere = np.ones((CELLS, CELLS), dtype=bool)
    assert only(film_errors([film], drawn(everywhere, tiny_model.card))).cause is Cause.SPREAD


def test_evidence_in_the_cells_of_a_marker_names_the_marker(film, tiny_model) -> None:
    spot = np.zeros((CELLS, CELLS), dtype=bool)
    spot[2, 13] = True
    model = drawn(spot, tiny_model.card)
    marked = replace(film, marks=(Box(13 * 6 + 2, 2 * 6 + 2, 2, 2),))  # a third of the cell's side
    assert only(film_errors([film], model)).cause is not Cause.MARK
    error = only(film_errors([marked], model))
    assert error.cause is Cause.MARK
    assert error.places.marks == 1.0
    assert error.places.marks_logit == pytest.approx(3.0)
    assert error.marks_known


def test_evidence_against_on_a_marker_names_it_where_a_finding_was_missed(film, tiny_model) -> None:
    spot = np.zeros((CELLS, CELLS), dtype=bool)
    spot[2, 13] = True
    missed = replace(film, labels={"Consolidation": 1}, marks=(Box(80, 14, 2, 2),))
    error = only(film_errors([missed], drawn(spot, tiny_model.card, logit=-3.0)))
    assert (error.mistake, error.cause) == (Mistake.FALSE_NEGATIVE, Cause.MARK)
    error = only(film_errors([replace(missed, marks=())], drawn(spot, tiny_model.card, logit=-3.0)))
    assert error.cause is Cause.NOTHING


def test_poor_zones_give_no_place(film, tiny_model) -> None:
    spot = np.zeros((CELLS, CELLS), dtype=bool)
    spot[8, 4] = True
    poor = replace(film, zones=replace(film.zones, quality=0.1))
    error = only(film_errors([poor], drawn(spot, tiny_model.card)))
    assert error.cause is Cause.UNPLACED
    assert error.places.outside is error.places.expected is error.evidence.zones is None


def test_the_page_shows_every_error_with_its_picture(cohort_folder, tiny_model_folder, tmp_path) -> None:
    figures = evaluate_errors(cohort_folder, tiny_model_folder, out=tmp_path)
    written = json.loads((tmp_path / FIGURES).read_text())
    page = (tmp_path / INDEX).read_text()
    assert written == json.loads(json.dumps(figures.as_dict()))
    assert figures.errors
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]*)\)", page)
    assert sorted(pictures) == sorted(str(error["picture"]) for error in figures.errors)
    assert all((tmp_path / name).read_bytes().startswith(b"\x89PNG") for name in pictures)
    for name, row in figures.findings.items():
        own = [error for error in figures.errors if error["finding"] == name]
        assert row.false_positives + row.false_negatives == sum(row.causes.values()) == len(own)
        assert row.films == 6


def test_the_same_call_gives_the_same_result(cohort_folder, tiny_model_folder, tmp_path) -> None:
    for name in ("first", "second"):
        evaluate_errors(cohort_folder, tiny_model_folder, out=tmp_path / name)
    first, second = (sorted((tmp_path / name).rglob("*.*")) for name in ("first", "second"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_labels_are_needed(cohort_folder, tiny_model_folder, tmp_path) -> None:
    (tmp_path / "film.dcm").write_bytes((cohort_folder / "phantom-00000.dcm").read_bytes())
    with pytest.raises(UsageError) as raised:
        evaluate_errors(tmp_path, tiny_model_folder)
    assert raised.value.code == "no-labels"
    (tmp_path / "labels.csv").write_text("image,Fracture\nfilm.dcm,1\n")
    with pytest.raises(UsageError) as raised:
        evaluate_errors(tmp_path, tiny_model_folder)
    assert raised.value.code == "no-labels"


def test_a_head_without_a_ledger_is_refused(cohort_folder, tiny_model) -> None:
    card = replace(tiny_model.card, head="gmp")
    with torch.random.fork_rng():
        model = LoadedModel(build_classifier(card), card)
    with pytest.raises(ModelError) as raised:
        list(film_errors(Cohort(cohort_folder), model))
    assert raised.value.code == "no-ledger"
