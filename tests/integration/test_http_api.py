"""The HTTP API as a process: killed in the middle, asked what nobody would ask by hand, and listened to."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import requests

from .servers.api import PATIENCE_S, api, ended, hand_in, state, until, workers_of

SAMPLES = sorted((Path(__file__).resolve().parents[2] / "sample_data").glob("*.dcm"))

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


def test_a_worker_that_is_killed_loses_nothing(tmp_path):
    with api(tmp_path, 2) as (address, server):
        places = [hand_in(address, SAMPLES[:6]), *[hand_in(address, [film]) for film in SAMPLES[6:10]]]
        until(lambda: state(places[0])["done"] >= 1, "nothing was begun")
        before = {worker.pid for worker in workers_of(server)}
        assert len(before) == 2

        for victim in before:
            os.kill(victim, signal.SIGKILL)
            break
        until(lambda: all(ended(place) for place in places), "not all are explained")

        assert [(one["state"], len(one["films"])) for one in map(state, places)] == [("done", 6), *[("done", 1)] * 4]
        until(lambda: len({worker.pid for worker in workers_of(server)} - before) == 1, "the worker was not replaced")
        for place in places:
            for film in state(place)["films"]:
                explanation = requests.get(address + film["explanation"], timeout=30).json()
                assert explanation["findings"]
    assert not [process for process in before if psutil.pid_exists(process)]


def events(place: str, last: str = "") -> list[tuple[str, str]]:
    """Names and ids of the events of a stream, until it ends."""
    found, name = [], ""
    with requests.get(f"{place}/events", headers={"Last-Event-ID": last}, stream=True, timeout=60) as answer:
        for line in answer.iter_lines(decode_unicode=True):
            kind, _, value = line.partition(": ")
            name = value if kind == "event" else name
            if kind == "id":
                found.append((name, value))
    return found


def test_what_was_taken_outlives_the_server_and_those_who_listen_hear_the_end(tmp_path):
    with api(tmp_path, 0) as (address, server):
        path = hand_in(address, SAMPLES[:3]).removeprefix(address)
        with requests.get(f"{address}{path}/events", stream=True, timeout=60) as hung_up:
            assert next(hung_up.iter_content(1))
        server.kill()
        server.wait()

    with api(tmp_path, 1) as (address, _), ThreadPoolExecutor(12) as pool:
        heard = [pool.submit(events, address + path, "waiting-0-0") for _ in range(12)]
        streams = [one.result(PATIENCE_S) for one in heard]

        assert state(address + path)["state"] == "done"
        assert len(state(address + path)["films"]) == 3
        for stream in streams:
            assert stream[-1] == ("end", "done-3-3")
            done = [int(one.split("-")[1]) for _, one in stream]
            assert done == sorted(done)
            assert len(set(stream)) == len(stream)


def test_a_request_whose_head_never_ends_is_refused(tmp_path):
    with api(tmp_path, 0) as (address, _):
        assert requests.get(f"{address}/health", timeout=30).status_code == 200
        with socket.create_connection(address.removeprefix("http://").split(":"), timeout=30) as line:
            line.sendall(b"GET /health HTTP/1.1\r\nHost: here\r\nX-Long: ")
            with contextlib.suppress(ConnectionError):  # closed while there is more to send
                for _ in range(64):
                    line.sendall(b"x" * 16384)
            answer = b""
            with contextlib.suppress(ConnectionError):
                while part := line.recv(4096):
                    answer += part
        assert not answer or answer.startswith(b"HTTP/1.1 400 ")
        assert requests.get(f"{address}/health", timeout=30).status_code == 200


def write_configuration(path: Path, names: dict[str, str]) -> None:
    """Lets requests be about a film that is there, which is not let go of meanwhile."""
    known = [f"{json.dumps(name)} = {json.dumps(value)}" for name, value in names.items()]
    other = f'"path.submission_id" = "{"0" * 32}"'
    lines = ["[parameters]", *known, "[[operations]]", 'include-method = "DELETE"', "[operations.parameters]", other]
    path.write_text("\n".join(lines))


def test_requests_that_nobody_would_write_by_hand_meet_no_fault_of_the_server(tmp_path):
    with api(tmp_path, 1, "--per-minute", "100000", "--stream-seconds", "1") as (address, server):
        place = hand_in(address, SAMPLES[:1], "?outputs=json,sc,sr")
        until(lambda: ended(place), "the film is not explained")
        [film] = state(place)["films"]
        for worker in workers_of(server):
            worker.suspend()  # what the requests hand in is for the server to take, and for nobody to explain
        names = {"path.submission_id": place.rpartition("/")[2], "path.film": film["id"], "query.finding": "nodule"}
        write_configuration(tmp_path / "schemathesis.toml", names)
        told = subprocess.run(
            [
                str(Path(sys.executable).with_name("schemathesis")), "run", f"{address}/openapi.json",
                "--checks", CHECKS, "--max-examples", "6", "--seed", "1", "--no-color",
                "--generation-database", "none", "--request-timeout", "20", "--max-time", "40",
                "--phases", "examples,coverage,fuzzing",
            ],
            capture_output=True, text=True, timeout=PATIENCE_S, cwd=tmp_path, check=False,
        )  # fmt: skip
        for worker in workers_of(server):
            worker.resume()
        assert "generated" in told.stdout
        assert told.returncode == 0, told.stdout[-6000:] + told.stderr[-2000:]
        assert state(place)["state"] == "done"
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
