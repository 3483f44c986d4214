"""The HTTP API as a process: two workers of which one is killed, and requests that nobody would write by hand."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import requests

from .servers.processes import free_port, running

SAMPLES = sorted((Path(__file__).resolve().parents[2] / "sample_data").glob("*.dcm"))
PATIENCE_S = 240


@contextmanager
def api(folder: Path, workers: int, *options: str) -> Iterator[tuple[str, psutil.Process]]:
    """Serves an empty store; its address and its process."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "medcam", "serve", "--store", folder / "store", "--port", port]
    command += ["--workers", workers, *options]

    def ready() -> bool:
        try:
            return requests.get(f"{address}/ready", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    environment = {**os.environ, "MEDCAM_AUDIT_KEY": str(folder / "audit.pem")}
    with running(command, folder / "log", ready, environment) as process:
        yield address, psutil.Process(process.pid)


def hand_in(address: str, films: list[Path]) -> str:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for film in films:
            file.write(film, film.name)
    taken = requests.post(
        f"{address}/v1/submissions", data=archive.getvalue(), headers={"Content-Type": "application/zip"}, timeout=30
    )
    assert taken.status_code == 202, taken.text
    return address + taken.headers["Location"]


def workers_of(server: psutil.Process) -> list[psutil.Process]:
    return [child for child in server.children() if "work" in child.cmdline()]


def state(place: str) -> dict:
    return requests.get(place, timeout=30).json()


def until(seen, what):
    deadline = time.monotonic() + PATIENCE_S
    while not seen():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def test_a_worker_that_is_killed_loses_nothing(tmp_path):
    with api(tmp_path, 2) as (address, server):
        places = [hand_in(address, SAMPLES[:6]), *[hand_in(address, [film]) for film in SAMPLES[6:10]]]
        until(lambda: state(places[0])["done"] >= 1, "nothing was begun")
        before = {worker.pid for worker in workers_of(server)}
        assert len(before) == 2

        for victim in before:
            os.kill(victim, signal.SIGKILL)
            break
        until(lambda: all(state(place)["state"] in ("done", "failed") for place in places), "not all are explained")

        assert [(one["state"], len(one["films"])) for one in map(state, places)] == [("done", 6), *[("done", 1)] * 4]
        until(lambda: len({worker.pid for worker in workers_of(server)} - before) == 1, "the worker was not replaced")
        for place in places:
            for film in state(place)["films"]:
                explanation = requests.get(address + film["explanation"], timeout=30).json()
                assert explanation["findings"]
    assert not [process for process in before if psutil.pid_exists(process)]


def test_requests_that_nobody_would_write_by_hand_meet_no_fault_of_the_server(tmp_path):
    # The stream of events of a submission that nobody explains never ends, and is left out.
    with api(tmp_path, 0, "--per-minute", "100000") as (address, _):
        place = hand_in(address, SAMPLES[:1])
        told = subprocess.run(
            [
                str(Path(sys.executable).with_name("schemathesis")), "run", f"{address}/openapi.json",
                "--checks", "not_a_server_error", "--max-examples", "6", "--seed", "1", "--no-color",
                "--generation-database", "none", "--request-timeout", "20", "--max-time", "30",
                "--exclude-path-regex", "events$", "--phases", "examples,coverage,fuzzing",
            ],
            capture_output=True, text=True, timeout=PATIENCE_S, cwd=tmp_path, check=False,
        )  # fmt: skip
        assert "not_a_server_error" not in told.stdout
        assert "generated" in told.stdout
        assert told.returncode == 0, told.stdout[-4000:] + told.stderr[-2000:]
        assert requests.get(place, timeout=10).status_code in (200, 404)
        assert requests.get(f"{address}/ready", timeout=10).json()["ready"]


@pytest.mark.parametrize(
    ("options", "code"), [(["--address", "0.0.0.0"], "tokens-needed"), (["--tokens"], "tokens-needed")]
)
def test_nobody_is_let_in_by_accident(tmp_path, options, code):
    command = [sys.executable, "-m", "medcam", "serve", "--store", str(tmp_path / "store"), "--port", "0", *options]
    environment = {**os.environ, "MEDCAM_AUDIT_KEY": str(tmp_path / "audit.pem")}

    told = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, env=environment, check=False)

    assert told.returncode == 2
    assert "tokens-needed" in told.stderr
