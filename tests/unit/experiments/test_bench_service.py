"""The load test of the HTTP API: its figures, and the whole of it with few films."""

from __future__ import annotations

import pytest

from medcam.experiments.bench.service.clients import Load, Visit
from medcam.experiments.bench.service.run import ServicePlan, fairness, figures, run_service_bench


def test_jains_index_is_1_where_all_fare_alike_and_falls_where_one_has_more():
    assert fairness([3.0, 3.0, 3.0]) == pytest.approx(1.0)
    assert fairness([1.0, 1e9, 1e9, 1e9]) == pytest.approx(0.25, abs=1e-6)


def test_figures_count_what_all_clients_met():
    load = Load((Visit([1.0, 3.0], [], 4.0), Visit([2.0], ["HTTPError: 500"], 4.0)), Visit([5.0] * 3, [], 8.0), 8.0)

    found = {one.name: one for one in figures(ServicePlan(), load, batch=1.5)}

    assert found["service-over-pipeline"].value == pytest.approx(6 / 8)
    assert found["service-over-pipeline"].ratio == pytest.approx(0.5)
    assert found["service/wait/p50"].value == pytest.approx(2.0)
    assert found["service/errors"].value == 1
    assert found["service/fairness"].value == pytest.approx(1.0)
    assert found["service/flood-over-clients"].value == pytest.approx(2.0)


def test_a_few_clients_at_a_real_server_meet_no_error(monkeypatch, tmp_path):
    monkeypatch.setenv("MEDCAM_AUDIT_KEY", str(tmp_path / "audit.pem"))

    found = {one.name: one for one in run_service_bench(ServicePlan(clients=2, films=1, flood=1, size=64))}

    assert (found["service/errors"].value, found["service/errors"].note) == (0, "")
    assert found["service-over-pipeline"].n == 3
