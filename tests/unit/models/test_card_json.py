"""Model cards survive their file, and what is no card is refused with one code."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medcam.core.card import FindingCard, InputRecipe, Interval, ModelCard, RegionRule, RegionRuleKind
from medcam.core.codes import CodedConcept
from medcam.core.errors import ModelError
from medcam.models.card_json import card_from_json, card_to_json

from .tiny import tiny_card

WORDS = st.text(min_size=1, max_size=12)
SHARES = st.floats(0.001, 0.999)
INTERVALS = st.tuples(SHARES, SHARES, SHARES).map(
    lambda three: Interval(*(sorted(three)[place] for place in (1, 0, 2)))
)
FIGURES = st.dictionaries(WORDS, INTERVALS, max_size=3)
RULES = st.builds(RegionRule, WORDS, st.sampled_from(RegionRuleKind), SHARES, st.booleans(), SHARES)
FINDINGS = st.builds(
    FindingCard,
    name=WORDS,
    code=st.none() | st.builds(CodedConcept, WORDS, WORDS, WORDS),
    threshold=SHARES,
    region_rule=RULES,
    map_scale=st.floats(1e-3, 1e6),
    performance=FIGURES,
)
CARDS = st.builds(
    ModelCard,
    name=WORDS,
    version=WORDS,
    findings=st.lists(FINDINGS, min_size=1, max_size=4, unique_by=lambda finding: finding.name).map(tuple),
    input=st.builds(InputRecipe, st.integers(1, 2048), st.integers(1, 2048), st.integers(1, 3)),
    backbone=WORDS,
    backbone_options=st.dictionaries(
        WORDS, st.integers() | st.booleans() | st.lists(st.integers()) | WORDS, max_size=3
    ),
    limits=st.lists(WORDS, max_size=3).map(tuple),
    performance=FIGURES,
    out_of_distribution_threshold=st.none() | st.floats(0.1, 10.0),
)


@settings(max_examples=40, deadline=None)
@given(CARDS)
def test_any_card_comes_back_as_it_was(card: ModelCard) -> None:
    assert card_from_json(card_to_json(card)) == card


def test_a_full_card_comes_back_with_its_types() -> None:
    card = tiny_card()
    again = card_from_json(card_to_json(card))
    assert again == card
    assert again.findings[0].region_rule.kind is RegionRuleKind.ABSOLUTE
    assert again.findings[1].code is None
    assert again.finding_names == ("Nodule", "Höhenkrankheit <ä>", "Mass")


def test_the_text_is_json_that_a_person_can_read() -> None:
    text = card_to_json(tiny_card())
    assert text.endswith("}\n")
    assert "Höhenkrankheit <ä>" in text
    fields = json.loads(text)
    assert fields["findings"][0]["region_rule"]["kind"] == "absolute"
    assert fields["input"]["height"] == 64


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '"card"', "null", "17", "not json at all", '{"findings": []}'])
def test_what_is_no_card_is_refused(text: str) -> None:
    with pytest.raises(ModelError) as caught:
        card_from_json(text)
    assert caught.value.code == "broken-card"


def damaged(path: str, value: object) -> str:
    """A card whose field at a path like "findings.0.threshold" is another value; None takes the field out."""
    fields = json.loads(card_to_json(tiny_card()))
    place: object = fields
    *parents, last = path.split(".")
    for key in parents:
        place = place[int(key) if isinstance(place, list) else key]  # type: ignore[index]
    if value is None:
        del place[last]  # type: ignore[attr-defined]
    else:
        place[last] = value  # type: ignore[index]
    return json.dumps(fields)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", None),
        ("findings", None),
        ("input", None),
        ("performance", None),
        ("findings", []),
        ("findings", 3),
        ("findings.0.threshold", 1.5),
        ("findings.0.threshold", "high"),
        ("findings.0.threshold", float("nan")),
        ("findings.0.map_scale", 0.0),
        ("findings.0.code", {"value": ""}),
        ("findings.0.code", {"value": "", "scheme": "SCT", "meaning": "nothing"}),
        ("findings.0.region_rule.kind", "by eye"),
        ("findings.0.region_rule", "calibrated"),
        ("findings.0.performance.auc.low", 0.99),
        ("findings.1.name", "Nodule"),
        ("input.height", 0),
        ("input.height", "tall"),
        ("input.colour", "grey"),
        ("performance.ece", 0.02),
        ("unheard_of", 1),
    ],
)
def test_a_damaged_field_breaks_the_card(path: str, value: object) -> None:
    with pytest.raises(ModelError) as caught:
        card_from_json(damaged(path, value))
    assert caught.value.code == "broken-card"
    assert caught.value.next_step
