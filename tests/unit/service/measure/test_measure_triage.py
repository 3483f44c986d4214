import json
from dataclasses import replace

import numpy as np
import pytest

from medcam.anatomy.structures import structures
from medcam.core.card import FindingCard, InputRecipe, ModelCard
from medcam.core.errors import UsageError
from medcam.core.prediction import Prediction
from medcam.evaluate.expected_anatomy import expected_anatomy
from medcam.evaluate.triage import Cause
from medcam.models.preprocess import prepare
from medcam.models.training.films import Films
from medcam.phantom import FINDINGS, render, sample_case
from medcam.service.measure import triage as measure
from medcam.service.measure.planted import ShortcutPlan, phantom_film, shortcut_model, with_word, word_on
from medcam.service.measure.triage import Planted, TriagePlan, measure_triage

SIDE, CELLS = 64, 16
SHORTCUT = ShortcutPlan(patients=24, size=SIDE, epochs=1, with_finding=1.0, without=0.0)
PLAN = TriagePlan(shortcut=SHORTCUT, label_films=4, word_films=8, size=96)


class StandIn:
    """A classifier whose maps [findings, cells, cells] a test makes of the film."""

    def __init__(self, maps_of) -> None:
        self._maps_of, self._seen = maps_of, {}
        self.card = ModelCard("stand-in", "1", tuple(map(FindingCard, FINDINGS)), InputRecipe(SIDE, SIDE), "resnet")

    def prepare(self, radiograph):
        prepared = prepare(radiograph, self.card.input)
        self._seen[prepared.values.tobytes()] = self._maps_of(radiograph)
        return prepared

    def predict(self, inputs) -> Prediction:
        maps = np.stack([self._seen[each.tobytes()] for each in np.asarray(inputs)]).astype(np.float32)
        biases = np.full(len(FINDINGS), -3.0, np.float32)
        features = np.zeros((len(inputs), 1), np.float32)
        return Prediction(logits=maps.mean(axis=(2, 3)) + biases, maps=maps, biases=biases, features=features)

    def out_of_distribution(self, inputs, prediction):
        return None


def evidence_in(mask: np.ndarray) -> np.ndarray:
    """Six logit units of evidence in the cell of which a mask covers most."""
    step = mask.shape[0] // CELLS
    covered = mask.reshape(CELLS, step, CELLS, step).mean(axis=(1, 3))
    cells = np.zeros((CELLS, CELLS))
    cells.ravel()[covered.argmax()] = 6.0 * CELLS**2
    return cells


def knows_all(radiograph) -> np.ndarray:
    """Evidence in the expected anatomy of every finding that is truly there, none else."""
    seed, index = map(int, radiograph.sha256.split("-"))
    film = phantom_film(sample_case(seed, index, prevalence=0.25), PLAN.size)
    masks = {**film.zones.masks, **structures(film.zones)}
    maps = np.zeros((len(FINDINGS), CELLS, CELLS))
    for place, name in enumerate(FINDINGS):
        if film.labels[name]:
            maps[place] = evidence_in(np.any([masks[each] for each in expected_anatomy(name).places], axis=0))
    return maps


def reads_the_word(radiograph) -> np.ndarray:
    """Evidence for the finding where the word stands, nothing where there is none."""
    seed, index = map(int, radiograph.sha256.split("-"))
    case = sample_case(seed, index, prevalence=0.25)
    plain = render(case, radiograph.height, truth=False).linear
    maps = np.zeros((len(FINDINGS), CELLS, CELLS))
    word = radiograph.pixels != plain
    if word.any():
        maps[FINDINGS.index(SHORTCUT.finding)] = evidence_in(word)
    return maps


@pytest.fixture(scope="module")
def figures(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measure, "shortcut_model", lambda *_, **__: StandIn(reads_the_word))
        patch.setattr(measure, "load_model", lambda _: StandIn(knows_all))
        return measure_triage(PLAN, tmp_path_factory.mktemp("triage"))


def test_a_model_that_is_never_wrong_has_all_turned_labels_named(figures) -> None:
    left_out, added = figures.turned
    assert left_out > 0 < added
    row = figures.labels[Planted.LEFT_OUT.value]
    assert (row.n, row.named, row.right.value) == (left_out, {Cause.EXPECTED.value: left_out}, 1.0)
    row = figures.labels[Planted.ADDED.value]
    assert (row.n, row.named, row.right.value) == (added, {Cause.NOTHING.value: added}, 1.0)
    assert len(figures.labels) == 2


def test_a_model_that_reads_the_word_is_told_by_the_film_without_it(figures) -> None:
    films = [
        (index % 2 == 1, bool(phantom_film(sample_case(measure.WORDS_SEED, index, prevalence=0.25), 128).labels[name]))
        for name in [SHORTCUT.finding]
        for index in range(PLAN.word_films)
    ]
    betrayed, missed = films.count((True, False)), films.count((False, True))
    assert figures.called_with_word.value == 1.0
    assert figures.called_without_word.value == 0.0
    row = figures.words[Planted.WORD.value]
    assert (row.n, row.named, row.right.value) == (betrayed, {Cause.MARK.value: betrayed}, 1.0)
    assert {name: row.n for name, row in figures.words.items() if name != Planted.WORD} == (
        {Planted.NO_WORD.value: missed} if missed else {}
    )
    assert figures.right.value == 1.0
    assert set(figures.others) <= {Planted.OWN_NEGATIVE.value}
    json.dumps(figures.as_dict())


def test_nothing_but_the_word_differs() -> None:
    case = sample_case(3, 1)
    film = phantom_film(case, 128)
    written = with_word(film, case)
    box = written.marks[-1]
    left, top, right, bottom = (int(edge) for edge in box.corners)
    changed = film.radiograph.pixels != written.radiograph.pixels
    assert changed[top:bottom, left:right].any()
    changed[top:bottom, left:right] = False
    assert not changed.any()
    np.testing.assert_array_equal(film.radiograph.pixels, render(case, 128).linear)
    assert written.marks[:-1] == film.marks
    assert word_on(film.radiograph.pixels, case)[1] == box


def test_the_network_learns_from_films_with_the_word_where_the_finding_is(tmp_path) -> None:
    model = shortcut_model(SHORTCUT, tmp_path)
    assert model.card.finding_names == FINDINGS
    assert model.card.head == "gap"
    [home] = tmp_path.iterdir()
    films = Films.load(home / "films-5151")
    column = FINDINGS.index(SHORTCUT.finding)
    assert 0 < films.labels[:, column].sum() < len(films) == SHORTCUT.patients
    for index, label in enumerate(films.labels[:, column]):
        case = sample_case(5151, index, prevalence=0.25)
        film = phantom_film(case, 2 * SIDE)
        shown = with_word(film, case) if label else film
        np.testing.assert_array_equal(films.images[index], model.prepare(shown.radiograph).values[0].astype(np.float16))
    again = shortcut_model(SHORTCUT, tmp_path)
    assert again.card == model.card


@pytest.mark.parametrize("changes", [{"finding": "Fracture"}, {"size": 80}, {"epochs": 0}])
def test_a_shortcut_that_cannot_be_planted_is_refused(changes) -> None:
    with pytest.raises(UsageError):
        replace(SHORTCUT, **changes)


def test_triage_needs_films() -> None:
    with pytest.raises(UsageError):
        replace(PLAN, word_films=0)
