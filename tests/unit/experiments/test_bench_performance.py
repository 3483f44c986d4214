"""`medcam bench`: a part or a peer that fails is told and passed over, and the page comes from its record."""

from __future__ import annotations

import json
import math
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from bench_small import SMALL

from medcam.core.errors import UsageError
from medcam.experiments.bench.figure import Figure
from medcam.experiments.bench.peers import every
from medcam.experiments.bench.peers.monai_maps import MonaiCam
from medcam.experiments.bench.performance import cost, cost_page, engines, run
from medcam.experiments.bench.performance.page import PAGE, page_text, record_path, write_page
from medcam.experiments.bench.performance.parts import PARTS, Part, record_key
from medcam.experiments.bench.performance.plan import quick_plan
from medcam.experiments.bench.performance.record import read_records
from medcam.experiments.bench.performance.run import figures_of, run_parts
from medcam.experiments.bench.performance.values import reached


class Broken:
    """A peer whose library is there and does not work."""

    name, package, rectified, one_by_one = "broken", "broken-cam", False, False

    @contextmanager
    def opened(self, network, findings, *, documented):
        raise ImportError("no module named 'broken_cam'\nand a second line")
        yield

    def by_one_target(self, network, films, finding):
        raise AssertionError


@pytest.fixture(scope="module")
def found_cost(small):
    """The cost of maps by this package, by MONAI, and by a peer that fails."""
    peers = (every.OWN, MonaiCam(), Broken())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cost, "PEERS", peers)
        patch.setattr(cost, "measured_memory", lambda *_: {"forward": 10.0})
        return cost.run(SMALL)


def test_a_peer_that_cannot_be_imported_is_told_and_the_rest_measured(found_cost):
    [cell] = found_cost["cells"][:1]
    page = cost_page.section(found_cost)
    figures = {one.name: one for one in cost_page.figures(found_cost)}

    assert cell["ways"]["broken"] == {"error": "ImportError: no module named 'broken_cam'"}
    assert cell["ways"]["medcam"]["ratio"]["n"] >= 1
    assert "no module named 'broken_cam'" in page
    assert "cannot be installed beside this package" in page
    assert figures["maps-over-forward/64/b1"].baseline == 1.02
    assert figures["maps-over-forward/64/b1/broken"].n == 0


def test_what_would_take_too_long_is_left_out_and_said_so(monkeypatch, small):
    monkeypatch.setattr(cost, "PEERS", (every.OWN, MonaiCam()))
    monkeypatch.setattr(cost, "measured_memory", lambda *_: {})
    monkeypatch.setattr(cost, "_about", lambda peer, subject: 999.0 if peer.one_by_one else 0.0)

    found = cost.run(SMALL)

    assert found["cells"][0]["ways"]["MONAI CAM"] == {"error": "would take about 999 s a pass"}
    assert "Memory could not be measured" in cost_page.section(found)


def test_what_would_not_fit_into_memory_is_left_out_and_said_so(monkeypatch, small):
    """A process that takes more than there is, is ended by the system, and all that was measured is lost with it."""
    monkeypatch.setattr(cost, "PEERS", (every.OWN, MonaiCam()))
    monkeypatch.setattr(cost, "measured_memory", lambda *_: {"medcam": 50.0, "MONAI CAM": 1500.0})
    monkeypatch.setattr(cost, "available_mib", lambda: 3000.0)

    ways = cost.run(SMALL)["cells"][0]["ways"]

    assert ways["MONAI CAM"] == {"error": "would take about 3 GiB beside the others"}
    assert ways["medcam"]["ratio"]["n"] >= 1


def test_engines_are_told_with_their_errors(monkeypatch):
    monkeypatch.setattr(engines, "with_engine", lambda model, asked: model)
    found = engines.run(replace(SMALL, rounds=1))
    [cell] = found["cells"]

    assert set(cell["ways"]) == set(SMALL.asked)
    assert cell["ways"]["torch:fp32"]["logit_error"] == 0.0
    assert {one.name for one in engines.figures(found)} >= {"engine-over-eager/64/b1"}
    assert "`torch:bf16`" in engines.section(found)
    assert engines.targets(found) == []


def test_a_part_that_fails_does_not_end_the_others():
    def fails(plan):
        raise RuntimeError("out of films")

    parts = [
        Part("bad", "Bad", fails, cost_page.figures, cost_page.targets, cost_page.section),
        Part("good", "Good", lambda plan: {"a": (1, math.nan)}, lambda found: [], lambda found: [], str),
    ]
    records = run_parts(SMALL, parts)

    assert records["bad"].error == "RuntimeError: out of films"
    assert records["good"].found["a"][0] == 1
    [failed] = figures_of(records, parts)
    assert (failed.n, failed.note) == (0, "RuntimeError: out of films")


def test_the_page_is_written_again_from_its_record(found_cost, tmp_path):
    [part] = [one for one in PARTS if one.name == "cost"]
    records = run_parts(quick_plan(), [replace(part, run=lambda plan: found_cost)])
    page = tmp_path / "performance.md"
    write_page(records, page)
    again = read_records(record_path(page))

    assert page_text(again, page) == page.read_text()
    assert json.loads(record_path(page).read_text())["cost"]["quick"] is True
    text = page.read_text()
    assert "`medcam bench --only cost --quick --write-page`" in text
    assert max(len(line) for line in text.splitlines() if not line.startswith("|")) <= 118
    assert "the call fails" in text


def test_the_documentation_has_the_page_of_the_record_beside_it():
    page = Path(__file__).parents[3] / PAGE
    records = read_records(record_path(page))

    assert {key.partition("/")[0] for key in records} == {part.name for part in PARTS}
    assert page_text(records, page) == page.read_text(encoding="utf-8")


def test_figures_of_two_kinds_of_machine_stand_beside_each_other(tmp_path):
    here = ["", "of another kind"]
    part = Part(
        "good",
        "Good",
        lambda plan: {"n": len(here)},
        lambda found: [Figure("good", found["n"], "", 1)],
        lambda found: [("a", ">= 1", str(found["n"]), "yes")],
        lambda found: f"About {found['n']}.",
        lambda: here[-1],
    )
    records = run_parts(SMALL, [part])
    here.pop()
    records |= run_parts(SMALL, [part])
    text = page_text(records, tmp_path / "page.md", [part])

    assert set(records) == {"good", "good/of another kind"}
    assert text.index("## Good\n\nAbout 1.") < text.index("## Good, of another kind\n\nAbout 2.")
    assert "| good, of another kind | `medcam bench --only good --write-page` |" in text
    assert "(good; good, of another kind)" in text
    assert [one.value for one in figures_of(records, [part])] == [1, 2]


def test_engines_are_told_apart_by_what_their_processor_has(monkeypatch):
    [part] = [one for one in PARTS if one.name == "engines"]
    for has, key in ((True, "engines"), (False, "engines/without bf16")):
        monkeypatch.setattr(engines.processor, "has_bf16", lambda has=has: has)
        assert record_key(part) == key


@pytest.mark.parametrize(
    ("load", "said"), [(0.1, "| yes |"), (9.0, "not told: the machine was busy (load 9 on 2 cores)")]
)
def test_no_target_is_judged_on_a_busy_machine(load, said, tmp_path):
    part = Part(
        "good", "Good", lambda plan: {}, lambda found: [], lambda found: [("a", "1", "2", "yes")], lambda _: "So."
    )
    record = run_parts(SMALL, [part])["good"]
    record = replace(record, load=load, machine={**record.machine, "cores": "2"})

    assert said in page_text({"good": record}, tmp_path / "page.md", [part])


@pytest.mark.parametrize(
    ("loads", "noted"), [([9.0, 8.0, 0.5], 0.5), ([9.0] * 9, 9.0)], ids=["becomes quiet", "stays busy"]
)
def test_a_part_waits_for_a_quiet_machine_and_begins_in_the_end(loads, noted, monkeypatch):
    clock, asked = [0.0], iter([*loads, 7.0])
    monkeypatch.setattr(run, "load_average", lambda: next(asked, 7.0))
    monkeypatch.setattr(run.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(run.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(run.time, "sleep", lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    part = Part("good", "Good", lambda plan: {}, lambda found: [], lambda found: [], lambda _: "So.")

    assert run_parts(replace(SMALL, patience=100.0), [part])["good"].load == noted
    assert clock[0] <= 100.0


def test_parts_that_follow_each_other_at_once_have_the_load_from_before_all(monkeypatch):
    monkeypatch.setattr(run, "load_average", lambda: 9.0)
    part = Part("good", "Good", lambda plan: {}, lambda found: [], lambda found: [], lambda _: "So.")
    record = run_parts(replace(SMALL, load=0.5), [part])["good"]

    assert (record.load, record.load_after) == (0.5, 9.0)


def test_memory_that_was_not_asked_for_is_said_to_be_that():
    found = cost._memory(replace(SMALL, memory=None))

    assert cost_page._memory(found) == "Memory was not measured."


def test_a_file_that_is_no_record_is_refused(tmp_path):
    path = tmp_path / "record.json"
    path.write_text('{"cost": 3}')

    with pytest.raises(UsageError) as refused:
        read_records(path)
    assert refused.value.code == "bench-record"
    assert read_records(tmp_path / "absent.json") == {}


@pytest.mark.parametrize(
    ("low", "value", "high", "n", "said"),
    [
        (1.00, 1.01, 1.015, 9, "yes"),
        (1.00, 1.01, 1.03, 9, "yes, not told apart"),
        (1.01, 1.03, 1.05, 9, "no, not told apart"),
        (1.03, 1.04, 1.05, 9, "**no**"),
        (1.04, 1.04, 1.04, 1, "**no**, by one measurement"),
    ],
)
def test_a_target_is_reached_where_its_interval_says_so(low, value, high, n, said):
    assert reached({"value": value, "low": low, "high": high, "n": n}, 1.02, at_most=True) == said
    assert reached(None, 1.02, at_most=True) == "not measured"
