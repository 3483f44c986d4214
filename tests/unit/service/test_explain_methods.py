"""Explanations by other methods than the exact class activation map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import medcam
from medcam.cam.methods.attribute import attribute
from medcam.cam.methods.registry import method_card, method_names
from medcam.core.activation import CAM
from medcam.core.card import PAPER_RULE, FindingCard, InputRecipe, RegionRule, RegionRuleKind
from medcam.core.errors import ModelError, UsageError
from medcam.core.protocols import Classifier
from medcam.core.radiograph import Radiograph
from medcam.dicom import load_radiograph
from medcam.models.loaded import LoadedModel
from medcam.models.without_maps import ForeignModel, wrap_network
from medcam.overlay.film import Film
from medcam.overlay.overlay import lay_map
from medcam.service.explain import explain, explain_batch
from medcam.service.explanations.explained import ExplainedRadiograph
from medcam.service.explanations.explanation_json import explanation_from_dict, explanation_to_dict
from medcam.service.explanations.method_choice import WITHOUT_CLASS_MAPS

OTHERS = [name for name in method_names() if name != CAM]


@pytest.fixture(scope="module")
def films(phantom_dicom: Path) -> list[Radiograph]:
    return [load_radiograph(phantom_dicom / f"film-{number}.dcm") for number in range(2)]


@pytest.fixture(scope="module")
def foreign() -> ForeignModel:
    """A network without a pooling head: its tail sees where on the map something lies."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = nn.Sequential(
            nn.Conv2d(1, 4, 5, stride=4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 15 * 15, 6), nn.ReLU(), nn.Linear(6, 2)
        )
    rule = RegionRule("calibrated", RegionRuleKind.ABSOLUTE, 1e9)
    findings = [FindingCard("Nodule", region_rule=rule, map_scale=1e9), FindingCard("Mass")]
    return wrap_network(network, findings, InputRecipe(64, 64), name="theirs")


@pytest.mark.parametrize("method", OTHERS)
def test_any_method_explains_a_film(method: str, tiny_model: Classifier, films: list[Radiograph]) -> None:
    assert isinstance(tiny_model, LoadedModel)
    made = explain(films[0], tiny_model, method=method)
    exact, card = explain(films[0], tiny_model), method_card(method)
    assert made.method == method
    values = attribute(tiny_model.gradient_model(), tiny_model.prepare(films[0]).values[None], method).values[0]
    for one, other, raw in zip(made.findings, exact.findings, values, strict=True):
        assert (one.logit, one.probability, one.present) == pytest.approx(
            (other.logit, other.probability, other.present), abs=1e-5
        )
        assert one.map.bias == other.map.bias
        assert (one.map.method, one.map.layer) == (method, "input" if card.on_input else "layer4")
        np.testing.assert_allclose(one.map.values, raw, rtol=1e-4, atol=1e-5)
        assert one.evidence is None
        assert not one.map.ledger
        assert {region.rule for region in one.regions} <= {PAPER_RULE.name}
        for region in one.regions:
            assert 0 <= region.box.x < region.box.x + region.box.width <= films[0].width
    told = " ".join(made.warnings)
    assert f"maps by {card.title} ({card.source}) of the" in told
    assert "no ledger of evidence, since only class activation maps add up" in told
    assert ("the map is the same for all of them" in told) is (not card.specific)
    assert ("never read it" in told) is card.control


def test_regions_are_found_by_other_methods(tiny_model: Classifier, films: list[Radiograph]) -> None:
    made = explain(films[0], tiny_model, method="layercam")
    assert any(finding.regions for finding in made.findings)


def test_a_batch_is_explained_like_its_films(tiny_model: Classifier, films: list[Radiograph]) -> None:
    together = explain_batch(films, tiny_model, method="hirescam")
    for film, made in zip(films, together, strict=True):
        alone = explain(film, tiny_model, method="hirescam")
        for one, other in zip(made.findings, alone.findings, strict=True):
            np.testing.assert_allclose(one.map.values, other.map.values, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("method", [None, CAM, "CAM"])
def test_the_exact_map_is_the_default(
    method: str | None, tiny_model: Classifier, films: list[Radiograph], explained: ExplainedRadiograph
) -> None:
    made = explain(films[0], tiny_model, method=method)
    assert made.method == CAM
    assert all(finding.evidence is not None for finding in made.findings)
    assert made.warnings == explained.warnings
    np.testing.assert_array_equal(made.findings[0].map.values, explained.findings[0].map.values)


def test_an_unknown_method_is_refused_before_anything_is_done(tiny_model: Classifier) -> None:
    with pytest.raises(UsageError) as caught:
        explain_batch([], tiny_model, method="lime")
    assert caught.value.code == "unknown-cam-method"
    assert "grad-cam" in caught.value.next_step


def test_explanations_by_other_methods_come_back_from_their_file(
    tiny_model: Classifier, films: list[Radiograph], tmp_path: Path
) -> None:
    made = explain(films[0], tiny_model, method="integrated-gradients")
    again = explanation_from_dict(explanation_to_dict(made))
    assert explanation_to_dict(again) == explanation_to_dict(made)
    assert again.findings[0].map.method == "integrated-gradients"
    assert medcam.load_explanation(made.save(tmp_path)).method == "integrated-gradients"
    assert "maps by integrated-gradients of layer input" in made._repr_html_()


def test_pictures_of_other_methods_are_scaled_to_the_image_and_say_so(
    tiny_model: Classifier, films: list[Radiograph]
) -> None:
    film = Film.of(films[0], 256)
    for method in (CAM, "layercam"):
        made = explain(films[0], tiny_model, method=method)
        finding = max(made.findings, key=lambda one: float(one.map.values.max()))
        card = next(card for card in made.card.findings if card.name == finding.name)
        _, caption = lay_map(film, finding, card, made.model, 1.0)
        assert caption.comparable is (method == CAM)
        assert caption.rule == (card.region_rule if method == CAM else PAPER_RULE)
        assert made.overlay(finding.name, long_side=256).ndim == 3


def test_a_network_without_class_maps_is_explained_by_the_documented_method(
    foreign: ForeignModel, films: list[Radiograph]
) -> None:
    made = explain(films[0], foreign)
    assert made.method == WITHOUT_CLASS_MAPS == "hirescam"
    assert made.model.name == "theirs"
    assert any("this model has no class activation maps" in warning for warning in made.warnings)
    logits = foreign.predict(foreign.prepare(films[0]).values[None]).logits[0]
    assert [finding.logit for finding in made.findings] == pytest.approx(logits.tolist(), abs=1e-5)
    for finding in made.findings:
        assert finding.map.values.shape == (15, 15)
        assert finding.map.layer == "1"
        assert finding.evidence is None
        assert np.ptp(finding.map.values) > 0.0
    # The calibrated rule and the colour scale of the card, made for exact maps, are not applied to these.
    assert made.findings[0].regions or made.findings[0].map.values.max() <= 0.0
    assert explain(films[0], foreign, method="grad-cam").method == "grad-cam"


def test_an_exact_map_of_a_network_without_class_maps_is_refused(
    foreign: ForeignModel, films: list[Radiograph]
) -> None:
    with pytest.raises(ModelError) as caught:
        explain(films[0], foreign, method=CAM)
    assert caught.value.code == "cam-method"
    assert "hirescam" in caught.value.next_step


class Closed:
    """A classifier that lets nobody see its network."""

    def __init__(self, model: Classifier) -> None:
        self.card, self.prepare, self.predict = model.card, model.prepare, model.predict
        self.out_of_distribution = model.out_of_distribution


def test_a_classifier_that_shows_no_network_has_exact_maps_alone(
    tiny_model: Classifier, films: list[Radiograph]
) -> None:
    closed = Closed(tiny_model)
    assert explain(films[0], closed).method == CAM
    with pytest.raises(ModelError) as caught:
        explain(films[0], closed, method="grad-cam")
    assert caught.value.code == "cam-method"
