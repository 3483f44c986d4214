"""`medcam bench` measures: ways in turns right behind their base, ratios as medians of pairs, programs as a whole."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from medcam.experiments.bench.programs import ProgramError, run_program
from medcam.experiments.bench.timing import Timed, take_turns


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


def test_a_program_is_measured_and_one_that_fails_is_quoted(tmp_path):
    spent = run_program(["-c", "sum(range(10**6))"], tmp_path / "log")

    assert spent.wall > 0.0
    assert spent.processor > 0.0
    assert spent.memory > 1.0
    with pytest.raises(ProgramError, match="with 3: gone wrong"):
        run_program(["-c", "import sys; print('gone wrong'); sys.exit(3)"], tmp_path / "log")


@pytest.mark.skipif(sys.platform != "linux", reason="Linux counts like this")
def test_the_memory_of_whoever_measures_a_program_is_not_the_programs(tmp_path):
    held = bytearray(b"x" * (300 << 20))

    spent = run_program(["-c", "pass"], tmp_path / "log")

    assert len(held) >> 20 == 300
    assert spent.memory < 100.0


@pytest.mark.skipif(sys.platform != "linux", reason="Linux has /proc")
def test_a_program_that_is_given_up_ends_with_its_launcher(tmp_path, monkeypatch):
    here = tmp_path / "pid"
    program = f"import os, pathlib, time; pathlib.Path({str(here)!r}).write_text(str(os.getpid())); time.sleep(60)"

    def given_up(_process):
        while not (here.is_file() and here.read_text()):
            time.sleep(0.01)
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "communicate", given_up)
    with pytest.raises(KeyboardInterrupt):
        run_program(["-c", program], tmp_path / "log")

    until = time.monotonic() + 10.0
    while _alive(int(here.read_text())) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _alive(int(here.read_text()))


def _alive(process):
    status = Path(f"/proc/{process}/stat")
    return status.is_file() and status.read_text().rpartition(") ")[2].split()[0] != "Z"
