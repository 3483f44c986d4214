"""Cases are drawn by seed and index alone, and as often as is said."""

from __future__ import annotations

from collections import Counter

import pytest

from medcam.core.errors import UsageError
from medcam.phantom import FINDINGS, Case, sample_case
from medcam.phantom.sampling import NORMAL_SHARE, PREVALENCE

DRAWS = 400


@pytest.fixture(scope="module")
def drawn() -> list[Case]:
    return [sample_case(7, index) for index in range(DRAWS)]


def test_the_same_seed_and_index_give_the_same_case() -> None:
    assert sample_case(3, 5) == sample_case(3, 5)


def test_another_seed_or_index_gives_another_patient() -> None:
    patients = {sample_case(seed, index).patient for seed in (3, 4) for index in (5, 6)}
    assert len(patients) == 4


def test_a_finding_that_is_asked_for_is_the_one_that_chance_would_have_drawn() -> None:
    every = sample_case(3, 5, prevalence=1.0)
    alone = sample_case(3, 5, findings=["Nodule"])
    assert alone.findings == tuple(spec for spec in every.findings if spec.name == "Nodule")
    assert (alone.patient, alone.acquisition, alone.distractors) == (
        every.patient,
        every.acquisition,
        every.distractors,
    )


def test_prevalence_is_what_is_said(drawn: list[Case]) -> None:
    seen = Counter(spec.name for case in drawn for spec in case.findings)
    expected = DRAWS * (1 - NORMAL_SHARE) * PREVALENCE
    # Four standard deviations of a binomial count.
    for name in FINDINGS:
        assert abs(seen[name] - expected) < 4 * (expected * 0.82) ** 0.5, name


def test_films_without_any_finding_are_as_many_as_follows(drawn: list[Case]) -> None:
    normal = sum(not case.findings for case in drawn) / DRAWS
    expected = NORMAL_SHARE + (1 - NORMAL_SHARE) * (1 - PREVALENCE) ** len(FINDINGS)
    assert abs(normal - expected) < 0.09


def test_findings_occur_together(drawn: list[Case]) -> None:
    assert max(len(case.findings) for case in drawn) >= 4


@pytest.mark.parametrize(("prevalence", "count"), [(0.0, 0), (1.0, len(FINDINGS))])
def test_a_prevalence_of_nothing_and_of_all(prevalence: float, count: int) -> None:
    assert len(sample_case(1, 1, prevalence=prevalence).findings) == count


@pytest.mark.parametrize(
    ("name", "key", "low", "high"),
    [
        ("Cardiomegaly", "cardiothoracic_ratio", 0.52, 0.70),
        ("Pleural Effusion", "volume_ml", 100.0, 1500.0),
        ("Pneumothorax", "rim_mm", 5.0, 50.0),
        ("Nodule", "diameter_mm", 8.0, 30.0),
        ("Mass", "diameter_mm", 30.0, 70.0),
    ],
)
def test_sizes_fill_their_stated_range_and_keep_within_it(
    drawn: list[Case], name: str, key: str, low: float, high: float
) -> None:
    sizes = [spec[key] for case in drawn for spec in case.findings if spec.name == name]
    assert low <= min(sizes) < low + 0.2 * (high - low)
    assert high - 0.2 * (high - low) < max(sizes) <= high


def test_anatomy_and_exposure_vary(drawn: list[Case]) -> None:
    films = [case.acquisition for case in drawn]
    assert {case.patient.sex for case in drawn} == {"F", "M"}
    assert {case.patient.view for case in drawn} == {"AP", "PA"}
    assert {film.photometric for film in films} == {"MONOCHROME1", "MONOCHROME2"}
    assert {film.bits_stored for film in films} == {10, 12, 14}
    assert {film.voi for film in films} == {"window", "narrow", "sigmoid", "table"}
    assert {item.kind for case in drawn for item in case.distractors} == {"marker", "text", "button", "electrode"}
    assert all(0.38 <= case.patient.heart_ratio <= 0.49 for case in drawn)


def test_sided_findings_lie_on_both_sides(drawn: list[Case]) -> None:
    sides = Counter(spec.side for case in drawn for spec in case.findings if spec.name == "Nodule")
    assert set(sides) == {-1, 1}
    assert min(sides.values()) > 0.3 * sum(sides.values())


@pytest.mark.parametrize(("seed", "index"), [(-1, 0), (0, -1)])
def test_negative_seeds_are_refused(seed: int, index: int) -> None:
    with pytest.raises(UsageError, match="at least 0"):
        sample_case(seed, index)


def test_an_unknown_finding_is_refused_and_the_known_ones_are_told() -> None:
    with pytest.raises(UsageError, match="Emphysema") as raised:
        sample_case(0, 0, findings=["Emphysema"])
    assert "Pneumothorax" in raised.value.next_step


def test_a_counterfactual_without_an_unknown_finding_is_refused() -> None:
    with pytest.raises(UsageError, match="Emphysema"):
        sample_case(0, 0).without("Emphysema")


def test_a_counterfactual_loses_the_findings_named_and_nothing_else() -> None:
    case = sample_case(3, 5, prevalence=1.0)
    less = case.without("Mass", "Nodule")
    assert [spec.name for spec in less.findings] == [name for name in FINDINGS if name not in ("Mass", "Nodule")]
    assert (less.patient, less.acquisition, less.distractors) == (case.patient, case.acquisition, case.distractors)
