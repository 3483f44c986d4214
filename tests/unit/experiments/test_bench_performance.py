"""`medcam bench`: ways timed in turns, a part or a peer that fails told and passed over, the page from its record."""

from __future__ import annotations

import json
import math
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from monai.networks.nets import DenseNet, DenseNet121
from torch import nn

from medcam.core.errors import UsageError
from medcam.experiments.bench import baselines
from medcam.experiments.bench.peers import every
from medcam.experiments.bench.peers import subject as subject_module
from medcam.experiments.bench.peers.check import checked, exact_maps
from medcam.experiments.bench.peers.monai_maps import MonaiCam, MonaiGradCam
from medcam.experiments.bench.peers.own import Own
from medcam.experiments.bench.peers.peer import hooks_on
from medcam.experiments.bench.peers.saved import save_as_model
from medcam.experiments.bench.peers.subject import Subject
from medcam.experiments.bench.performance import cost, cost_page, engines, programs
from medcam.experiments.bench.performance.page import page_text, record_path, write_page
from medcam.experiments.bench.performance.parts import PARTS, Part
from medcam.experiments.bench.performance.plan import PerformancePlan, quick_plan
from medcam.experiments.bench.performance.record import read_records
from medcam.experiments.bench.performance.run import figures_of, run_parts
from medcam.experiments.bench.performance.values import reached
from medcam.experiments.bench.programs import ProgramError, run_program
from medcam.experiments.bench.timing import Timed, take_turns
from medcam.models.files import load_folder

SMALL = PerformancePlan(
    cells=((64, 1),), rounds=2, seconds=0.1, own_seconds=0.1, memory=(64, 1), checked=(64, 2), findings=2,
    engines=((64, 1),), film_side=256, script_films=4, own_films=4, program_rounds=1,
)  # fmt: skip


class Broken:
    """A peer whose library is there and does not work."""

    name, package, rectified, one_by_one = "broken", "broken-cam", False, False

    @contextmanager
    def opened(self, network, findings, *, documented):
        raise ImportError("no module named 'broken_cam'\nand a second line")
        yield

    def by_one_target(self, network, films, finding):
        raise AssertionError


class UpsideDown(Own):
    """A peer that turns maps over and leaves a hook behind."""

    name, package = "upside down", "monai"

    @contextmanager
    def opened(self, network: nn.Module, findings: int, *, documented: bool):
        network.register_forward_hook(lambda *_: None)
        with super().opened(network, findings, documented=documented) as maps:
            yield lambda films: -maps(films)


def small_network(**options):
    """MONAI's DenseNet with the same names of layers, and few of them."""
    return DenseNet(**options, init_features=8, growth_rate=4, block_config=(2, 2))


@pytest.fixture(scope="module")
def small():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subject_module, "DenseNet121", small_network)
        yield


@pytest.fixture(scope="module")
def subject(small):
    return Subject(64, 2, findings=2)


@pytest.fixture
def empty_phantoms(monkeypatch):
    """Files in the place of phantoms."""

    def make(out, count, seed, **_):
        out.mkdir(parents=True)
        for number in range(count):
            (out / f"{number:02}.dcm").touch()

    monkeypatch.setattr(programs, "make_phantoms", make)


@pytest.fixture(scope="module")
def found_cost(small):
    """The cost of maps by this package, by MONAI, and by a peer that fails."""
    peers = (every.OWN, MonaiCam(), Broken())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cost, "PEERS", peers)
        patch.setattr(cost, "measured_memory", lambda *_: {"forward": 10.0})
        return cost.run(SMALL)


def test_ways_are_timed_right_behind_their_base_and_one_that_fails_ends_alone():
    order = []

    def way(name):
        return lambda: order.append(name)

    def fails():
        raise ValueError("not\ntoday")

    timed = take_turns(way("base"), {"a": way("a"), "bad": fails, "b": way("b")}, rounds=2, seconds=60.0)

    assert order == ["base", "a", "base", "base", "b", "base", "a", "base", "b"]
    assert [len(timed[name].wall) for name in ("a", "bad", "b")] == [2, 0, 2]
    assert timed["bad"].error == "ValueError: not"
    assert timed["a"].slower.n == 2


def test_a_way_that_took_its_time_is_finished_and_has_one_round_at_least():
    timed = take_turns(
        time.time, {"slow": time.time, "longer": time.time}, rounds=4, seconds=0.0, longer={"longer": 60}
    )

    assert [len(timed[name].wall) for name in ("slow", "longer")] == [1, 4]


def test_ratios_are_medians_of_pairs():
    timed = Timed(base=[1.0, 2.0, 1.0], wall=[2.0, 4.0, 9.0], base_processor=[2.0] * 3, processor=[3.0] * 3)

    assert (timed.slower.value, timed.faster.value, timed.slower_processor.value) == (2.0, 0.5, 1.5)
    assert timed.slower.low <= 2.0 <= timed.slower.high
    assert timed.spent == 19.0


def test_exact_maps_add_up_to_the_logits(subject):
    maps, logits = exact_maps(subject)
    bias = subject.network.class_layers.out.bias.double()

    assert torch.allclose(maps.mean(dim=(2, 3)) + bias, logits, atol=1e-9)
    assert hooks_on(subject.network) == 0


def test_own_maps_are_right_and_a_peer_that_is_not_is_found_out(subject):
    own, wrong = checked(Own(), subject), checked(UpsideDown(), subject)

    assert own.least > 0.999
    assert (own.right, own.films, own.hooks, own.against, own.empty) == (2, 2, 0, True, 0)
    assert own.sum_error < 1e-5
    assert wrong.correlation < -0.999
    assert wrong.hooks == 1
    assert wrong.sum_error > 1e-3


@pytest.mark.parametrize("peer", [MonaiCam(), MonaiGradCam()], ids=lambda peer: peer.name)
def test_monai_turns_its_maps_over_and_keeps_its_hooks(peer, subject):
    found = checked(peer, subject)

    assert found.empty < found.maps
    assert found.correlation < -0.99
    assert found.hooks > 0
    assert found.against is not peer.rectified


@pytest.mark.parametrize("peer", [one for one in every.PEERS if one.package in ("captum", "grad-cam", "torchcam")])
def test_peers_that_are_installed_give_the_exact_map(peer, subject):
    if every.package_version(peer.package) == "not installed":
        pytest.skip(f"{peer.package} is not installed")
    found = checked(peer, subject)

    assert math.isnan(found.least) or found.least > 0.99
    assert found.hooks == 0


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


def test_engines_are_told_with_their_errors(monkeypatch):
    monkeypatch.setattr(engines, "with_engine", lambda model, asked: model)
    found = engines.run(replace(SMALL, rounds=1))
    [cell] = found["cells"]

    assert set(cell["ways"]) == set(engines.ASKED)
    assert cell["ways"]["torch:fp32"]["logit_error"] == 0.0
    assert {one.name for one in engines.figures(found)} >= {"engine-over-eager/64/b1"}
    assert "`torch:bf16`" in engines.section(found)
    assert engines.targets(found) == []


def test_the_network_of_the_scripts_is_that_of_the_model_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(subject_module, "DenseNet121", DenseNet121)
    subject = Subject(64, 2)

    assert save_as_model(tmp_path / "model", subject) < 1e-4
    assert len(load_folder(tmp_path / "model").card.findings) == 14


def test_a_program_is_measured_and_one_that_fails_is_quoted(tmp_path):
    spent = run_program(["-c", "sum(range(10**6))"], tmp_path / "log")

    assert spent.wall > 0.0
    assert spent.processor > 0.0
    assert spent.memory > 1.0
    with pytest.raises(ProgramError, match="with 3: gone wrong"):
        run_program(["-c", "import sys; print('gone wrong'); sys.exit(3)"], tmp_path / "log")


def test_programs_are_set_beside_one_another_and_a_script_without_its_library_is_told(monkeypatch, empty_phantoms):
    stand_in = "import pathlib, sys, time; time.sleep(0.01 * len(list(pathlib.Path(sys.argv[1]).glob('*.dcm'))))"
    ways = {
        "grad-cam": (["-c", "import no_such_library"], "some"),
        "torchcam": (["-c", stand_in, "{films}"], "some"),
        programs.ALL: (["-c", stand_in, "{films}"], "many"),
    }
    monkeypatch.setattr(programs, "_ways", lambda folder, *, without_pictures: ways)
    monkeypatch.setattr(programs, "load_model", lambda *_: None)
    monkeypatch.setattr(programs, "save_as_model", lambda folder, subject: 0.0)
    monkeypatch.setattr(programs, "save_for_scripts", lambda path, subject: None)
    found = programs.run(SMALL)
    figures = {one.name: one for one in programs.figures(found)}

    assert "No module named 'no_such_library'" in found["ways"]["grad-cam"]["error"]
    assert figures["pipeline-over-script/grad-cam"].n == 0
    assert figures["pipeline-over-script/torchcam"].n == 1
    assert figures["pipeline-over-script/torchcam"].baseline == 2.0
    assert "no_such_library" in programs.section(found)
    assert programs.targets(found)[0][3] == "not measured"


def test_scripts_and_medcam_get_the_same_kinds_of_files(tmp_path, empty_phantoms):
    programs._films(tmp_path, SMALL)
    counts = {name: len(list((tmp_path / "films" / name).iterdir())) for name in ("one", "some", "many")}

    assert counts == {"one": 1, "some": 5, "many": 5}
    commands = programs._ways(tmp_path, without_pictures=True)
    assert commands[programs.ALL][0].count("--finding") == 14
    assert commands["grad-cam"][0][1].endswith("baselines.grad_cam_script")


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


def test_scripts_can_be_read_alone():
    for script in programs.SCRIPTS:
        name = script.module.rpartition(".")[2]
        source = (Path(baselines.__file__).parent / f"{name}.py").read_text(encoding="utf-8")
        assert "from medcam" not in source
        assert "import medcam" not in source
