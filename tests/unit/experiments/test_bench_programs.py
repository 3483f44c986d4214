"""`medcam bench` sets programs and scripts beside one another, on the same films."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from bench_small import SMALL

from medcam.experiments.bench import baselines
from medcam.experiments.bench.performance import programs


@pytest.fixture
def empty_phantoms(monkeypatch):
    """Files in the place of phantoms."""

    def make(out, count, seed, **_):
        out.mkdir(parents=True)
        for number in range(count):
            (out / f"{number:02}.dcm").touch()

    monkeypatch.setattr(programs, "make_phantoms", make)


def test_programs_are_set_beside_one_another_and_a_script_without_its_library_is_told(monkeypatch, empty_phantoms):
    stand_in = "import pathlib, sys, time; time.sleep(0.01 * len(list(pathlib.Path(sys.argv[1]).glob('*.dcm'))))"
    ways = {
        "grad-cam": (["-c", "import no_such_library"], "some"),
        "torchcam": (["-c", stand_in, "{films}"], "some"),
        programs.ALL: (["-c", stand_in, "{films}"], "many"),
    }
    _with(monkeypatch, ways)
    found = programs.run(SMALL)
    figures = {one.name: one for one in programs.figures(found)}

    assert "No module named 'no_such_library'" in found["ways"]["grad-cam"]["error"]
    assert figures["pipeline-over-script/grad-cam"].n == 0
    assert figures["pipeline-over-script/torchcam"].n == 1
    assert figures["pipeline-over-script/torchcam"].baseline == 2.0
    assert "no_such_library" in programs.section(found)
    assert programs.targets(found)[0][3] == "not measured"


def test_the_second_script_is_left_out_aloud_where_time_is_short(monkeypatch, empty_phantoms):
    names = [script.key for script in programs.SCRIPTS]
    _with(monkeypatch, {name: (["-c", "pass"], "some") for name in (*names, programs.ALL)})
    found = programs.run(replace(SMALL, spare_until=0.0))

    assert [name for name, row in found["ways"].items() if "error" in row] == names[1:]
    assert "left out" in programs.section(found)


def _with(monkeypatch, ways):
    monkeypatch.setattr(programs, "_ways", lambda folder, *, without_pictures: ways)
    monkeypatch.setattr(programs, "load_model", lambda *_: None)
    monkeypatch.setattr(programs, "save_as_model", lambda folder, subject: 0.0)
    monkeypatch.setattr(programs, "save_for_scripts", lambda path, subject: None)


def test_scripts_and_medcam_get_the_same_kinds_of_files(tmp_path, empty_phantoms):
    programs._films(tmp_path, SMALL)
    counts = {name: len(list((tmp_path / "films" / name).iterdir())) for name in ("one", "some", "many")}

    assert counts == {"one": 1, "some": 5, "many": 5}
    commands = programs._ways(tmp_path, without_pictures=True)
    assert commands[programs.ALL][0].count("--finding") == 14
    assert commands["grad-cam"][0][1].endswith("baselines.grad_cam_script")


def test_scripts_can_be_read_alone():
    for script in programs.SCRIPTS:
        name = script.module.rpartition(".")[2]
        source = (Path(baselines.__file__).parent / f"{name}.py").read_text(encoding="utf-8")
        assert "from medcam" not in source
        assert "import medcam" not in source
