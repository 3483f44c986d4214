"""Small phantoms, drawn once: each finding alone with its healthy partner, and films that have every finding."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from medcam.phantom import FINDINGS, Case, FindingTruth, Phantom, render, sample_case

SIDE = 128
SEED = 77
EACH = 3
"""Pairs per finding."""
CROWDED = 16


@dataclass(frozen=True)
class Pair:
    """A film with one finding, and the same film without it."""

    case: Case
    film: Phantom
    partner: Phantom

    @property
    def truth(self) -> FindingTruth:
        return self.film.truths[0]


@pytest.fixture(scope="session")
def pairs() -> dict[str, list[Pair]]:
    """`EACH` pairs per finding, each of another patient."""
    made: dict[str, list[Pair]] = {}
    for number, name in enumerate(FINDINGS):
        indices = range(EACH * number, EACH * (number + 1))
        cases = [sample_case(SEED, index, findings=[name]) for index in indices]
        made[name] = [Pair(case, render(case, SIDE), render(case.without(name), SIDE)) for case in cases]
    return made


@pytest.fixture(scope="session")
def crowded() -> list[tuple[Case, Phantom]]:
    """Films with every finding."""
    cases = [sample_case(SEED + 1, index, prevalence=1.0) for index in range(CROWDED)]
    return [(case, render(case, SIDE)) for case in cases]


@pytest.fixture(scope="session")
def healthy(pairs: dict[str, list[Pair]]) -> list[Phantom]:
    """Films without any finding."""
    return [pair.partner for some in pairs.values() for pair in some]
