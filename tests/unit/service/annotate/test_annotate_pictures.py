"""Which findings are drawn."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from medcam.core.activation import ActivationMap
from medcam.core.card import FindingCard, InputRecipe, ModelCard
from medcam.core.errors import UsageError
from medcam.core.explanation import Engine, Explanation, ModelReference, OutOfDistribution, Source
from medcam.core.finding import Finding
from medcam.core.geometry import GridTransform
from medcam.core.radiograph import Identity
from medcam.service.annotate.pictures import findings_to_draw, margin, requested_findings

CARD = ModelCard("m", "1", tuple(map(FindingCard, ("Nodule", "Mass", "Pleural Effusion"))), InputRecipe(8, 8), "resnet")


def finding(name: str, probability: float, threshold: float, *, withheld: bool = False) -> Finding:
    present = None if withheld else probability >= threshold
    logit = math.log(probability / (1 - probability))
    activation = ActivationMap(np.zeros((2, 2), np.float32), 0.0, GridTransform.identity(2, 2))
    return Finding(name, None, probability, logit, threshold, present, activation, None)


def explanation(*findings: Finding) -> Explanation:
    return Explanation(
        Source(Identity(), 2, 2, ""),
        ModelReference("m", "1", ""),
        Engine(),
        "cam",
        findings,
        OutOfDistribution(None, None, False),
    )


def drawn(found: Explanation, *requested: str) -> list[str]:
    return [item.name for item in findings_to_draw(found, requested)]


def test_findings_that_are_present_are_drawn_strongest_first() -> None:
    found = explanation(finding("A", 0.6, 0.5), finding("B", 0.4, 0.5), finding("C", 0.3, 0.05))
    assert drawn(found) == ["C", "A"]


@pytest.mark.parametrize("withheld", [False, True])
def test_a_film_without_an_answer_shows_the_finding_nearest_to_its_threshold(withheld: bool) -> None:
    found = explanation(
        finding("likely but far below", 0.6, 0.95, withheld=withheld),
        finding("rare but near", 0.04, 0.05, withheld=withheld),
    )
    assert drawn(found) == ["rare but near"]


def test_what_is_asked_for_is_drawn_present_or_not() -> None:
    found = explanation(finding("A", 0.6, 0.5), finding("B", 0.4, 0.5))
    assert drawn(found, "B") == ["B"]


def test_a_margin_is_zero_at_the_threshold_and_in_logit_units() -> None:
    at = finding("A", 0.2, 0.2)
    assert margin(at) == pytest.approx(0.0)
    assert margin(replace(at, logit=at.logit + 1.5)) == pytest.approx(1.5)


def test_findings_are_asked_for_in_any_spelling_and_come_in_the_cards_order() -> None:
    assert requested_findings(("pleural-effusion", "NODULE", "Pleural Effusion"), CARD) == (
        "Nodule",
        "Pleural Effusion",
    )
    assert requested_findings((), CARD) == ()


@pytest.mark.parametrize("name", ["gout", "", "?"])
def test_an_unknown_finding_is_a_wrong_call(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        requested_findings((name,), CARD)
    assert caught.value.code == "no-such-finding"
    assert "pleural-effusion" in caught.value.next_step
