"""Phrases: reports say what is on the phantom, maps are laid on the right masks, meaningless phrases have none."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from medcam.core.errors import UsageError
from medcam.models.training.films import Films
from medcam.phantom import FINDINGS, Case, sample_case
from medcam.service.measure.phrase_masks import concept_masks, placed
from medcam.service.measure.phrase_reports import CONCEPTS, IDLE_PHRASES, Concept, varied_report
from medcam.service.measure.phrases import PhrasePlan, PhrasesFigures, measure_phrases
from medcam.service.probes.negation import Phrase, Said, said_of

PLAN = PhrasePlan(
    phrases=("enlarged cardiac silhouette", "endotracheal tube", "dictated by the resident"),
    pool=40,
    test=30,
    rendered=128,
    prevalence=0.45,
)
BY_PHRASE = {concept.phrase: concept for concept in CONCEPTS}


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> PhrasesFigures:
    """Three phrases on a few coarse phantoms."""
    return measure_phrases(PLAN, tmp_path_factory.mktemp("phrases"))


def _sentences(concept: Concept) -> list[str]:
    return [text.format(side="left", Side="Left") for text in (*concept.said, *concept.otherwise, *concept.denied)]


@pytest.mark.parametrize("concept", CONCEPTS, ids=lambda concept: concept.phrase)
def test_sentences_say_what_they_are_meant_to(concept: Concept) -> None:
    phrase = Phrase(concept.phrase)
    said = [said_of(phrase, text) for text in _sentences(concept)]
    affirmed, silent = len(concept.said), len(concept.otherwise)
    assert said == [
        *[Said.AFFIRMED] * affirmed,
        *[Said.NOTHING] * silent,
        *[Said.NEGATED] * len(concept.denied),
    ]


def test_no_sentence_speaks_of_another_concept() -> None:
    for one, other in permutations(CONCEPTS, 2):
        for text in _sentences(other):
            assert said_of(Phrase(one.phrase), text) is Said.NOTHING, (one.phrase, text)


def test_reports_affirm_only_what_is_there() -> None:
    affirmed = 0
    for index in range(80):
        case = sample_case(5, index, prevalence=0.4)
        report = varied_report(case)
        for concept in CONCEPTS:
            said = said_of(Phrase(concept.phrase), report)
            affirmed += said is Said.AFFIRMED
            assert not (said is Said.AFFIRMED and concept.spec(case) is None)
            assert not (said is Said.NEGATED and concept.spec(case) is not None)
    assert affirmed > 80


def test_idle_phrases_have_nothing_to_do_with_the_film() -> None:
    for index in range(20):
        case = sample_case(6, index, prevalence=0.4)
        for phrase in IDLE_PHRASES:
            with_all, with_none = (
                said_of(Phrase(phrase), varied_report(one)) for one in (case, replace(case, findings=()))
            )
            assert with_all is with_none


def test_large_effusions_count_neither_way_for_a_blunted_angle() -> None:
    effusions = [sample_case(7, index, findings=("Pleural Effusion",)) for index in range(40)]
    blunted, meniscus = BY_PHRASE["blunted costophrenic angle"], BY_PHRASE["effusion with a meniscus"]
    assert {blunted.unclear(case) for case in effusions} == {True, False}
    assert all((blunted.spec(case) is None) == (meniscus.spec(case) is not None) for case in effusions)
    assert not blunted.unclear(sample_case(7, 0, findings=()))


def test_a_device_has_a_mask_of_its_own() -> None:
    case = _with_devices("pacemaker, endotracheal tube")
    whole = np.zeros((1, len(FINDINGS), 128, 128), dtype=np.bool_)
    films = Films(FINDINGS, np.zeros((1, 8, 8), np.float16), _labels(case), np.zeros(1), np.full(1, -1), whole)
    shown = np.array([True])
    tube, generator = (
        concept_masks(BY_PHRASE[phrase], films, [case], shown)[0]
        for phrase in ("endotracheal tube", "pacemaker generator")
    )
    assert tube.any()
    assert generator.any()
    assert (tube & generator).sum() < 0.2 * tube.sum()
    assert abs(np.flatnonzero(tube.any(axis=0)).mean() - 64) < 12  # in the trachea
    # The only device of a film keeps the film's mask.
    assert not concept_masks(BY_PHRASE["endotracheal tube"], films, [_with_devices("endotracheal tube")], shown).any()


def _with_devices(kinds: str) -> Case:
    case = sample_case(8, 0, findings=("Support Devices",))
    return replace(case, findings=(replace(case.findings[0], kind=kinds),))


def _labels(case: Case) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
    return np.array([[name in {spec.name for spec in case.findings} for name in FINDINGS]], dtype=np.int8)


def test_maps_on_their_masks_beat_the_same_maps_elsewhere() -> None:
    rng = np.random.default_rng(0)
    masks = np.zeros((12, 64, 64), dtype=np.bool_)
    for mask in masks:
        row, column = rng.integers(0, 6, 2) * 8
        mask[row : row + 16, column : column + 16] = True
    maps = masks[:, 4::8, 4::8].astype(np.float32) + rng.uniform(0, 0.01, (12, 8, 8)).astype(np.float32)
    found = placed(maps, masks)
    assert found is not None
    assert found.pointing.value == 1.0
    assert found.iou.value > 0.6 > 3 * found.iou_chance
    assert found.pointing_chance == pytest.approx(256 / 4096)
    assert found.pointing_other < 0.3
    assert found.iou_other < 0.2
    assert placed(maps, np.zeros_like(masks)) is None


def test_a_visible_phrase_is_found_and_placed(figures: PhrasesFigures) -> None:
    heart = figures.phrases[0]
    assert heart.phrase == "enlarged cardiac silhouette"
    assert heart.auc.low > 0.7
    assert heart.placed is not None
    assert heart.placed.pointing.value > 2 * heart.placed.pointing_chance
    assert heart.right is not None
    assert heart.right_plain is not None
    assert heart.right.value == 1.0 > heart.right_plain.value  # denied hearts are matched by the bare words
    assert sum(heart.reports.values()) == PLAN.pool


def test_a_meaningless_phrase_is_measured_without_a_mask(figures: PhrasesFigures) -> None:
    idle = figures.phrases[-1]
    assert (idle.phrase, idle.finding, idle.placed, idle.right) == ("dictated by the resident", "", None, None)
    assert idle.auc.low < 0.5 < idle.auc.high
    assert idle.positives + idle.negatives == PLAN.test


def test_figures_are_plain_values(figures: PhrasesFigures) -> None:
    again = json.loads(json.dumps(figures.as_dict()))
    assert [row["phrase"] for row in again["phrases"]] == list(PLAN.phrases)
    assert again["left_out"] == []


def test_plans_that_cannot_be_measured_are_refused() -> None:
    with pytest.raises(UsageError, match="no phrase 'egg on a string'"):
        PhrasePlan(phrases=("egg on a string",))
    with pytest.raises(UsageError, match="128 divides"):
        PhrasePlan(rendered=200)


def test_a_phrase_that_nobody_has_is_left_out(tmp_path: Path) -> None:
    plan = replace(PLAN, pool=8, test=8, phrases=("lobulated mass",), prevalence=0.0)
    assert measure_phrases(plan, tmp_path).left_out == ("lobulated mass",)
