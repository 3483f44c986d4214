"""Sizes are arithmetic on measured figures: what an archive costs follows from what a film costs."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from medcam.cli.main import app
from medcam.core.errors import UsageError
from medcam.experiments.bench.figure import Figure
from medcam.experiments.bench.performance.record import PartRecord, write_records
from medcam.experiments.bench.pipeline.meter import ENGINE, OPEN, STAGES
from medcam.experiments.bench.sizing.sizes import CPU, GPU, Archive, FilmCost, film_costs, sizes

STAGE_MS = 100.0
COST = FilmCost(dict.fromkeys(STAGES, STAGE_MS / 1e3), efficiency=0.5, n=3)


def pipeline_figures():
    stages = [Figure(f"stage/{key}/{stage}", STAGE_MS, "ms", 3) for key in ("json", "objects") for stage in STAGES]
    return [*stages, *(Figure(f"pipeline-over-bound/{key}", 0.5, "", 3) for key in ("json", "objects"))]


@pytest.fixture
def record(tmp_path):
    fields = ("name", "value", "unit", "n", "baseline", "low", "high", "note")
    found = {
        "figures": [{name: one.to_json()[name] for name in fields} for one in pipeline_figures()],
        "engine": "openvino fp32",
        "cores": 2,
        "model": "phantom",
        "side": 2048,
        "rounds": 3,
        "round_films": 48,
    }
    machine = {"processor": "a processor", "cores": "2"}
    part = PartRecord(found, "", 60.0, 0.5, 0.5, "2026-01-01", quick=False, machine=machine, version="1.0")
    write_records(tmp_path / "record.json", {"pipeline": part})
    return tmp_path / "record.json"


def test_every_file_is_opened_twice_and_a_gpu_takes_the_engine_off_the_cores():
    assert COST.seconds(CPU) == pytest.approx(0.1 * (len(STAGES) + 1))
    assert COST.seconds(GPU) == pytest.approx(COST.seconds(CPU) - COST.stages[ENGINE])
    dearer = FilmCost({**COST.stages, OPEN: 0.3}, COST.efficiency, 3)
    assert dearer.seconds(CPU) - COST.seconds(CPU) == pytest.approx(2 * 0.2)


def test_hours_of_an_archive():
    # 0.8 core-seconds a film, half of the cores' time used, 4 cores: 0.4 s a film by the clock.
    assert COST.machine_hours(Archive(studies=9000, films=2, cores=4), CPU) == pytest.approx(9000 * 2 * 0.4 / 3600)
    figures = {one.name: one.value for one in sizes({"json": COST}, Archive(studies=9000, films=2, cores=4))}
    assert figures["archive/json/cpu/8"] == pytest.approx(figures["archive/json/cpu"] / 8)


def test_a_share_above_one_is_noise():
    high = [Figure(one.name, 1.2, "", 3) if one.name.startswith("pipeline") else one for one in pipeline_figures()]
    assert film_costs(high)["json"].efficiency == 1.0


def test_figures_that_are_missing():
    with pytest.raises(UsageError) as raised:
        film_costs(pipeline_figures()[1:])
    assert raised.value.code == "sizing"


def test_the_command_writes_the_page_from_a_record(record, tmp_path):
    page = tmp_path / "sizing.md"
    call = ["bench", "sizing", "--from", str(record), "--page", str(page), "--price", "0.5"]

    done = CliRunner().invoke(app, [*call, "--json"])

    assert done.exit_code == 0, done.output
    figures = {one["name"]: one for one in json.loads(done.stdout)}
    hours = figures["archive/json/cpu"]["value"]
    assert hours == pytest.approx(1_000_000 * 0.8 / 0.5 / 16 / 3600)
    text = page.read_text(encoding="utf-8")
    assert f"| machine-hours | {hours:,.0f} |" in text
    assert f"| at 0.5 for a machine-hour | {hours / 2:,.0f} |" in text
    assert "lower bounds, not measurements" in text
    assert figures["archive/json/gpu"]["note"]


def test_a_record_without_the_pipeline(tmp_path):
    write_records(tmp_path / "record.json", {})

    done = CliRunner().invoke(app, ["bench", "sizing", "--from", str(tmp_path / "record.json")])

    assert isinstance(done.exception, UsageError)
    assert done.exception.code == "sizing"
