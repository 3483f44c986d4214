"""Marks of runs: one as long as a run lasts, none of those that were killed, all of those that may still be at work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from medcam.service.cluster.run_mark import run_mark, this_machine
from medcam.service.output_errors import OutputError

WEEK = 7 * 86400.0
RUN = """
import sys, time
from pathlib import Path
from medcam.service.cluster.run_mark import run_mark
with run_mark(Path(sys.argv[1])) as mark:
    print(mark, flush=True)
    time.sleep(600)
"""


def marks(folder: Path) -> set[str]:
    return {one.name for one in folder.iterdir()}


def left(folder: Path, name: str, text: str, age: float = 0.0) -> str:
    """A mark that nobody holds."""
    (folder / name).write_text(text, encoding="utf-8")
    os.utime(folder / name, (time.time() - age,) * 2)
    return name


def test_a_mark_lies_there_as_long_as_its_run(tmp_path):
    with run_mark(tmp_path / "films") as mark, run_mark(tmp_path / "films") as other:
        assert marks(tmp_path / "films") == {mark, other}
    assert marks(tmp_path / "films") == set()


def test_what_a_killed_run_left_goes_with_the_next_and_that_of_a_living_one_stays(tmp_path):
    command = [sys.executable, "-c", RUN, str(tmp_path)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as living,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as killed,
    ):
        try:
            assert living.stdout is not None
            assert killed.stdout is not None
            stays, goes = living.stdout.readline().strip(), killed.stdout.readline().strip()
            killed.send_signal(signal.SIGKILL)
            killed.wait()
            assert marks(tmp_path) == {stays, goes}, "nothing takes it away at once"
            with run_mark(tmp_path) as mark:
                assert marks(tmp_path) == {stays, mark}
        finally:
            living.kill()
            killed.kill()


def test_a_mark_of_another_machine_goes_when_it_is_old(tmp_path):
    young = left(tmp_path, ".run-1", "elsewhere 123")
    begun = left(tmp_path, ".run-2", "")
    left(tmp_path, ".run-3", "elsewhere 123", age=WEEK + 60.0)
    left(tmp_path, ".run-4", "", age=WEEK + 60.0)
    left(tmp_path, ".run-5", this_machine())
    film = left(tmp_path, "film", this_machine(), age=WEEK + 60.0)
    with run_mark(tmp_path):
        pass
    assert marks(tmp_path) == {young, begun, film}


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "films").write_text("a file")
    with pytest.raises(OutputError), run_mark(tmp_path / "films"):
        pass
