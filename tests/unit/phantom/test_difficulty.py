"""A third of each finding is subtle, a third moderate, a third plain, by contrast-to-noise."""

from __future__ import annotations

from collections import Counter

from medcam.phantom import FINDINGS, Case, Phantom
from medcam.phantom.truth import DIFFICULTY_LIMITS

GRADES = ("subtle", "moderate", "plain")


def test_difficulty_follows_from_contrast_and_the_limits(crowded: list[tuple[Case, Phantom]]) -> None:
    for _, film in crowded:
        for truth in film.truths:
            subtle, moderate = DIFFICULTY_LIMITS[truth.name]
            grade = (truth.contrast_to_noise >= subtle) + (truth.contrast_to_noise >= moderate)
            assert truth.difficulty == GRADES[grade]


def test_about_a_third_is_of_each_difficulty(crowded: list[tuple[Case, Phantom]]) -> None:
    grades = Counter(truth.difficulty for _, film in crowded for truth in film.truths)
    total = sum(grades.values())
    assert total > 100
    for grade in GRADES:
        assert 0.2 < grades[grade] / total < 0.47, grades


def test_every_finding_comes_plain_and_less_than_plain(crowded: list[tuple[Case, Phantom]]) -> None:
    seen = {(truth.name, truth.difficulty == "plain") for _, film in crowded for truth in film.truths}
    assert seen == {(name, plain) for name in FINDINGS for plain in (False, True)}


def test_limits_are_in_order_for_all_findings() -> None:
    assert set(DIFFICULTY_LIMITS) == set(FINDINGS)
    assert all(0 < subtle < moderate for subtle, moderate in DIFFICULTY_LIMITS.values())
