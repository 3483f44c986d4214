"""Codes of findings: real SNOMED CT identifiers, one per concept."""

from __future__ import annotations

import pytest

from medcam.core.card import PAPER_RULE
from medcam.phantom import FINDINGS
from medcam.service.explanations.finding_codes import _CODES, finding_cards, finding_code

# Verhoeff's check digit over the dihedral group of order ten, as SNOMED CT's identifiers use it.
TURN = [[(a + b) % 5 + 5 * (b >= 5) if a < 5 else (a - b) % 5 + 5 * (b < 5) for b in range(10)] for a in range(10)]
ORDER = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]


def check(digits: str) -> int:
    """0 for a number whose last digit checks it (Verhoeff 1969)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit)
        for _ in range(place % 8):
            value = ORDER[value]
        total = TURN[total][value]
    return total


def test_the_check_knows_right_from_wrong() -> None:
    assert check("138875005") == 0  # SNOMED CT's own root concept
    assert check("138875006") != 0
    assert check("138857005") != 0


@pytest.mark.parametrize("name", sorted(_CODES))
def test_a_code_is_an_identifier_of_a_concept(name: str) -> None:
    code = finding_code(name)
    assert code is not None
    assert code.scheme == "SCT"
    assert 6 <= len(code.value) <= 18
    assert check(code.value) == 0
    assert code.value[-3] == "0", "the partition of concepts of the international edition"


def test_two_findings_share_a_code_only_where_they_mean_the_same() -> None:
    by_value: dict[str, set[str]] = {}
    for value, meaning in _CODES.values():
        by_value.setdefault(value, set()).add(meaning)
    assert all(len(meanings) == 1 for meanings in by_value.values())
    assert finding_code("Effusion") == finding_code("Pleural Effusion")
    assert len(by_value) == len(_CODES) - 1


@pytest.mark.parametrize("name", FINDINGS)
def test_every_finding_of_phantoms_has_a_code(name: str) -> None:
    assert finding_code(name) is not None


def test_a_fracture_is_not_told_where_it_is() -> None:
    code = finding_code("Fracture")
    assert code is not None
    assert (code.value, code.meaning) == ("125605004", "Fracture of bone")


def test_names_may_be_written_as_in_file_names() -> None:
    assert finding_code("pleural-effusion") == finding_code("Pleural Effusion") == finding_code("PLEURAL_EFFUSION")


def test_blank_cards_keep_the_order_and_claim_nothing() -> None:
    cards = finding_cards(("Mass", "Unheard of", "Nodule"))
    assert [card.name for card in cards] == ["Mass", "Unheard of", "Nodule"]
    assert cards[1].code is None
    assert all(card.region_rule == PAPER_RULE and not card.performance for card in cards)
