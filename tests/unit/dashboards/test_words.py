"""The words of the pages: the same in every language, and the same as the program's own."""

from __future__ import annotations

import re

import pytest

from catalogue.english import ENGLISH
from catalogue.korean import KOREAN
from catalogue.viewer_korean import VIEWER_KOREAN
from medcam.core.explanation import RESEARCH_USE
from medcam.core.relation import Relation
from viewer import ENGLISH as VIEWER_ENGLISH

PLACES = re.compile(r"\{(\w+)[^}]*\}")


@pytest.mark.parametrize(
    ("english", "other"),
    [
        (ENGLISH, {key: words for key, words in KOREAN.items() if not key.startswith("term.")}),
        (VIEWER_ENGLISH, VIEWER_KOREAN),
    ],
    ids=["pages", "viewer"],
)
def test_both_languages_have_the_same_keys_and_places_for_values(english, other):
    assert set(other) == set(english)
    for key, words in english.items():
        assert sorted(PLACES.findall(other[key])) == sorted(PLACES.findall(words)), key
        assert bool(other[key].strip()) == bool(words.strip()), key


def test_the_intended_use_and_the_relations_are_those_of_the_program():
    assert ENGLISH["notice.use"].startswith(RESEARCH_USE)
    for relation in Relation:
        if not relation.ledger and relation is not Relation.UNSTATED:
            assert ENGLISH[f"ledger.relation.{relation}"] == relation.words
