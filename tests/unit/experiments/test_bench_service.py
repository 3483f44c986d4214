"""The load test of the HTTP API: its figures, and the whole of it with few films."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from medcam.experiments.bench.performance import service
from medcam.experiments.bench.performance.plan import PerformancePlan
from medcam.experiments.bench.service.clients import Load, Visit
from medcam.experiments.bench.service.run import ServicePlan, ServiceRound, fairness, figures, run_service_bench


def test_jains_index_is_1_where_all_fare_alike_and_falls_where_one_has_more():
    assert fairness([3.0, 3.0, 3.0]) == pytest.approx(1.0)
    assert fairness([1.0, 1e9, 1e9, 1e9]) == pytest.approx(0.25, abs=1e-6)


@pytest.fixture
def rounds() -> list[ServiceRound]:
    """Twice the same films: 6 in 8 seconds, then in 6."""
    first = Load((Visit([1.0, 3.0], [], 4.0), Visit([2.0], ["HTTPError: 500"], 4.0)), Visit([5.0] * 3, [], 8.0), 8.0)
    second = Load((Visit([1.0, 3.0], [], 4.0), Visit([2.0], [], 4.0)), Visit([5.0] * 3, [], 6.0), 6.0)
    return [ServiceRound(1.5, first), ServiceRound(1.0, second)]


def test_figures_count_what_all_clients_met(rounds):
    found = {one.name: one for one in figures(ServicePlan(clients=2, films=2, flood=3), rounds)}

    over = found["service-over-pipeline"]
    assert (over.value, over.low, over.high) == pytest.approx((0.75, 0.5, 1.0))
    assert over.baseline == 0.85
    assert found["service/films"].value == pytest.approx((6 / 8 + 6 / 6) / 2)
    assert found["service/pipeline-films"].value == pytest.approx(1.25)
    assert (found["service/wait/p50"].value, found["service/wait/p50"].n) == (pytest.approx(2.0), 6)
    assert (found["service/errors"].value, found["service/errors"].n) == (1, 14)
    assert found["service/errors"].note == "HTTPError: 500"
    assert found["service/fairness"].value == pytest.approx(1.0)
    assert found["service/flood-over-clients"].value == pytest.approx(1.75)


def test_one_round_has_no_interval(rounds):
    [over, *_] = figures(ServicePlan(), rounds[:1])

    assert (over.value, over.n) == (pytest.approx(0.5), 1)
    assert math.isnan(over.low)
    assert math.isnan(over.high)


@pytest.mark.parametrize(("last", "verdict"), [(2, "no, not told apart"), (1, "**no**, by one measurement")])
def test_the_part_of_the_page_tells_targets_and_figures(monkeypatch, rounds, last, verdict):
    plan = ServicePlan(clients=2, films=2, flood=3, rounds=last)
    monkeypatch.setattr(service, "run_service_bench", lambda plan, report: figures(plan, rounds[: plan.rounds]))
    found = service.run(replace(PerformancePlan(), service=plan))

    made = json.loads(json.dumps(found))
    over, met = service.targets(made)

    assert [one.to_json() for one in service.figures(made)] == [one.to_json() for one in figures(plan, rounds[:last])]
    assert over[1:] == (">= 0.85", "0.75 (0.50 to 1.00)" if last == 2 else "0.50", verdict)
    assert met[1:] == ("0", f"1 in {7 * last}", "**no**")
    assert "| wait for an explanation, 99 % of all, s | " in service.section(made)
    assert f"{last} rounds" in service.section(made)


def test_a_few_clients_at_a_real_server_meet_no_error(monkeypatch, tmp_path):
    monkeypatch.setenv("MEDCAM_AUDIT_KEY", str(tmp_path / "audit.pem"))
    plan = ServicePlan(clients=2, films=1, flood=1, size=64, rounds=2)

    found = {one.name: one for one in run_service_bench(plan)}

    assert (found["service/errors"].value, found["service/errors"].note) == (0, "")
    assert found["service/errors"].n == 6
    assert found["service-over-pipeline"].n == 2
    assert found["service-over-pipeline"].value > 0
