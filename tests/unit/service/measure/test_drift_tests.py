"""False alarms and power of the tests of drift: a small pool of phantoms, and the page that is made of its figures."""

from __future__ import annotations

import json

import pytest

from medcam.core.errors import UsageError
from medcam.experiments.drift import DRIFT, page
from medcam.experiments.record import plain
from medcam.service.measure.drift import DriftPlan, measure_drift_tests


@pytest.fixture(scope="module")
def figures(tiny_model_folder):
    told = []
    plan = DriftPlan(films=24, changed=10, period=10, rounds=2, size=64, model=str(tiny_model_folder))
    made = measure_drift_tests(plan, report=told.append).as_dict()
    assert any("comparisons without drift" in line for line in told)
    return plain(made)


def test_every_kind_of_drift_is_drawn_at_every_share(figures):
    rows = figures["planted"]

    assert len(rows) == 15
    assert {row["share"] for row in rows} == {0.25, 0.5, 1.0}
    assert figures["still"]["any"]["tests"] == sum(
        figures["still"][kind]["tests"] for kind in ("attribute", "input", "score", "evidence")
    )
    assert figures["still"]["input"]["tests"] == sum(
        figures["still"][f"input: {what}"]["tests"] for what in ("features", "out-of-distribution score")
    )
    assert figures["still"]["input: features"]["tests"] == 1.0
    assert figures["still"]["any"]["alarms"]["value"] <= figures["still"]["uncorrected"]["alarms"]["value"]
    json.dumps(figures, allow_nan=False)


def test_a_period_of_older_patients_alone_is_seen_by_their_age(figures):
    [row] = [row for row in figures["planted"] if row["planted"] == "older patients" and row["share"] == 1.0]
    assert row["by_kind"]["attribute"] == 1.0


def test_the_page_says_what_was_found(figures):
    body = page(figures).body

    assert "two periods of 10 phantoms" in body
    assert body.count("| a burned-in word |") == 3
    assert "input: features alone" in body
    [line] = DRIFT.summary(figures)
    assert "two periods of 10 phantoms" in line.what
    assert "false alarms" in line.here


def test_a_pool_must_hold_what_is_drawn_from_it():
    with pytest.raises(UsageError):
        DriftPlan(films=20, changed=5, period=11)
