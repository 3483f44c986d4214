from dataclasses import replace
from xml.etree import ElementTree

import pytest
import torch

from medcam.core.errors import ModelError
from medcam.core.zones import ZONES
from medcam.models.classifier import build_classifier
from medcam.models.loaded import LoadedModel
from medcam.phantom import FINDINGS
from medcam.service.evaluation.anatomy import anatomy_chart, anatomy_of, evaluate_anatomy
from medcam.service.evaluation.cohort import Cohort
from medcam.service.phantoms.truth import read_truth


def test_films_are_counted_by_their_labels_and_shares_of_zones_sum_to_one(cohort_folder, tiny_model_folder) -> None:
    figures = evaluate_anatomy(cohort_folder, tiny_model_folder)
    truths = read_truth(cohort_folder).values()
    assert figures.exact == figures.films == figures.patients == len(truths)
    assert (figures.registered, figures.without_zones, figures.zones_quality) == (0, 0, 1.0)
    for name in FINDINGS:
        there = sum(name in truth.names for truth in truths)
        found = figures.findings.get(name)
        assert (found.n + found.silent if found else 0) <= there
        if found:
            assert found.by_label == found.n + found.silent == there
            assert sum(found.places[zone].share.value for zone in ZONES) == pytest.approx(1.0)
            assert found.places["outside-body"].enrichment is None


def test_the_model_answers_where_there_is_no_label(cohort_folder, tiny_model) -> None:
    films = [replace(film, labels={}) for film in Cohort(cohort_folder)]
    figures = anatomy_of(films, tiny_model)
    assert all(found.by_label == 0 for found in figures.findings.values())


def test_films_with_poor_zones_are_left_out_and_counted(cohort_folder, tiny_model) -> None:
    films = list(Cohort(cohort_folder))
    poor = [replace(film, zones=replace(film.zones, quality=0.1)) for film in films]
    figures = anatomy_of(poor, tiny_model)
    assert figures.without_zones == len(films)
    assert figures.findings == {}
    assert figures.zones_quality is None


def test_a_finding_that_no_table_knows_has_no_expected_anatomy(cohort_folder, tiny_model) -> None:
    network, card = tiny_model.network, tiny_model.card
    named = replace(card, findings=(replace(card.findings[0], name="Fracture"), *card.findings[1:]))
    films = [replace(film, labels={"Fracture": 1}) for film in Cohort(cohort_folder)]
    found = anatomy_of(films, LoadedModel(network, named)).findings["Fracture"]
    assert found.expected == ()
    assert found.expected_share is None


def test_a_head_without_a_ledger_is_refused(cohort_folder, tiny_model) -> None:
    card = replace(tiny_model.card, head="gmp")
    with torch.random.fork_rng():
        model = LoadedModel(build_classifier(card), card)
    with pytest.raises(ModelError) as raised:
        anatomy_of(Cohort(cohort_folder), model)
    assert raised.value.code == "no-ledger"


def test_the_chart_shows_every_finding(cohort_folder, tiny_model_folder) -> None:
    figures = evaluate_anatomy(cohort_folder, tiny_model_folder)
    words = " ".join(str(node.text) for node in ElementTree.fromstring(anatomy_chart(figures)).iter())
    assert all(f"{name} (n = {found.n})" in words for name, found in figures.findings.items())
