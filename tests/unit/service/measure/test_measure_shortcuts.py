from dataclasses import asdict

import numpy as np
import pytest

from medcam.core.card import Interval
from medcam.core.errors import UsageError
from medcam.evaluate.shortcuts.record import Place, PlaceErasing, ShortcutRecord
from medcam.evaluate.shortcuts.rule import Severity
from medcam.experiments.shortcuts import SHORTCUTS
from medcam.phantom import sample_case
from medcam.service.measure.marks_found import marks_found
from medcam.service.measure.shortcut_models import (
    EVEN_SHARE,
    WITH,
    WITHOUT,
    NetworkPlan,
    Thing,
    has_thing,
    paired_film,
    shortcut_film,
)
from medcam.service.measure.shortcuts import (
    FIRST_SEED,
    TAKEN,
    TUNING_SEEDS,
    ShortcutBench,
    measure_shortcuts,
    network_row,
    totals,
)

TINY = ShortcutBench(networks=1, films=12, patients=16, epochs=1, pairs=2)


def erasing(finding, place, effect, severity) -> PlaceErasing:
    figure = Interval(effect, effect - 0.1, effect + 0.1)
    return PlaceErasing(finding, place, 40, 40, *[figure] * 4, False, figure, 0.001, 0.01, severity, "why")


def record(*rows) -> ShortcutRecord:
    return ShortcutRecord("m", "ab", "films", 40, 40, 40, ("Nodule", "Mass"), erasing=rows)


def row(plan, *rows, taken=None):
    return network_row(plan, record(*rows)) | {"taken": taken, "auc": {"Nodule": 0.9, "Mass": 0.5}}


PLANTED = NetworkPlan(1, Thing.MARKER, "Nodule")
HIT = erasing("Nodule", Place.MARKER, -1.0, Severity.HIGH)
OTHER = erasing("Mass", Place.BORDER, -0.6, Severity.MODERATE)
CALM = erasing("Mass", Place.MARKER, -0.1, Severity.NONE)


def test_a_shortcut_counts_as_caught_at_its_finding_and_place_alone():
    assert row(PLANTED, HIT, CALM)["caught"]
    assert not row(PLANTED, OTHER, CALM)["caught"]
    assert [each[0] for each in row(PLANTED, HIT, OTHER)["others"]] == ["Mass"]


def test_shares_count_networks_and_pairs():
    rows = [
        row(PLANTED, HIT, CALM, taken=1.2),
        row(PLANTED, OTHER, erasing("Nodule", Place.MARKER, -0.1, Severity.NONE), taken=0.1),
        row(NetworkPlan(2), CALM),
        row(NetworkPlan(3), OTHER),
    ]

    figures = totals(rows)

    assert figures["detected"]["value"] == figures["false_alarms"]["value"] == 0.5
    assert figures["detected_where_taken"] | {"low": 0} == {"n": 1, "value": 1.0, "low": 0, "high": 1.0}
    assert figures["pairs"] == 6 - 2
    assert figures["false_pairs"]["value"] == pytest.approx(2 / 4)
    assert figures["places"]["border"] == 2


def test_networks_that_are_measured_share_no_seed_with_those_the_rule_was_chosen_on():
    plans = ShortcutBench().plans
    seeds = [plan.seed for plan in plans]

    assert not any(first <= seed <= last for first, last in TUNING_SEEDS for seed in seeds)
    assert seeds == [FIRST_SEED + number for number in range(len(plans))]
    assert sum(plan.planted for plan in plans) == sum(not plan.planted for plan in plans) == 8
    assert {plan.thing for plan in plans if plan.planted} == set(Thing)


@pytest.mark.parametrize("thing", list(Thing))
def test_a_pair_differs_where_the_thing_is_and_the_places_know_it(thing):
    plan = NetworkPlan(5, thing, "Nodule")

    without, given = paired_film(plan, 52, 3)
    changed = np.abs(given.pixels - without.pixels) > 0.1
    places = next(film for film, there in (shortcut_film(plan, 52, index) for index in range(60)) if there).places

    assert 0 < changed.mean() < 0.3
    assert thing.place in places


def test_a_planted_thing_stands_by_the_finding_and_a_clean_one_whatever_is_there():
    cases = [sample_case(53, index, prevalence=0.3) for index in range(600)]
    sick = np.array(["Nodule" in {finding.name for finding in case.findings} for case in cases])

    def shares(plan):
        there = np.array([has_thing(plan, case) for case in cases])
        return there[sick].mean(), there[~sick].mean()

    planted, clean = shares(NetworkPlan(5, Thing.MARKER, "Nodule")), shares(NetworkPlan(5, Thing.MARKER))
    assert planted == (pytest.approx(WITH, abs=0.06), pytest.approx(WITHOUT, abs=0.06))
    assert clean == (pytest.approx(EVEN_SHARE, abs=0.1), pytest.approx(EVEN_SHARE, abs=0.1))
    assert shares(NetworkPlan(5)) == (0.0, 0.0)


def test_the_benchmark_runs_is_kept_and_becomes_a_page(tmp_path):
    told = []
    first = measure_shortcuts(TINY, tmp_path, report=told.append)
    again = measure_shortcuts(TINY, tmp_path)

    assert [row["plan"]["name"] for row in first["networks"]] == ["shortcut-nodule-marker-1001", "clean-marker-1002"]
    assert again["networks"] == first["networks"]
    assert len(told) == 2
    page = SHORTCUTS.page({"bench": asdict(TINY), **first, "marks": NONE}).body
    assert "marker, betrays nothing" in page
    missed = "marker for Nodule" if first["networks"][0]["taken"] >= TAKEN else "none"
    assert f"Missed of networks that took the bait: {missed}." in page


NONE = {"films": 1, "side": 128, "markers": None, "text": None, "precision": None, "area": None}


def test_markers_are_looked_for_and_counted():
    found = marks_found(1, 512)

    assert found["films"] == 1
    for name in ("markers", "text", "precision", "area"):
        assert found[name] is None or 0.0 <= found[name]["low"] <= found[name]["value"] <= found[name]["high"] <= 1.0


@pytest.mark.parametrize("wrong", [{"networks": 0}, {"networks": 9}, {"films": 1}])
def test_a_benchmark_of_nothing_is_refused(wrong):
    with pytest.raises(UsageError):
        ShortcutBench(**wrong)


def test_a_thing_that_betrays_no_finding_of_phantoms_is_refused():
    with pytest.raises(UsageError):
        NetworkPlan(1, Thing.MARKER, "Fracture")
    with pytest.raises(UsageError):
        NetworkPlan(1, None, "Nodule")
