"""`medcam annotate --ray` on clusters of this machine: the same results as without, whoever is killed on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from moto.server import ThreadedMotoServer

from .ray_nodes import ON_LOOPBACK, PATIENCE, Nodes, end, family, listening, ray_nodes, workers
from .ray_results import assert_same, contents, make_film

FILMS = 24
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
OUTPUTS = "json,png,seg,sr"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, save_tiny_model: Callable[..., Path]) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("model"), "Nodule", "Mass")


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Films in folders, one of them twice, one UID with two contents, a broken file and one that is no image."""
    folder = tmp_path_factory.mktemp("films")
    for number in range(FILMS):
        make_film(folder / f"{number % 3}" / f"{number:02d}.dcm", f"ray-{number}", number)
    (folder / "again.dcm").write_bytes((folder / "0" / "03.dcm").read_bytes())
    make_film(folder / "2" / "zz-rival.dcm", "ray-4", 99)
    (folder / "1" / "broken.dcm").write_bytes(b"")
    (folder / "notes.txt").write_text("no film")
    return folder


@pytest.fixture(scope="module")
def alone(films: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run without --ray writes."""
    out = tmp_path_factory.mktemp("alone") / "out"
    done = subprocess.run(command(films, out, model), capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 1, done.stderr
    return out


@pytest.fixture(scope="module")
def storage() -> Iterator[dict[str, str]]:
    """An S3 server on loopback with an empty bucket; the environment that leads to it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield {**KEYS, "AWS_ENDPOINT_URL": f"http://{host}:{port}"}
    server.stop()


@pytest.fixture(scope="module")
def head(storage: dict[str, str]) -> Iterator[Nodes]:
    """A cluster of one node."""
    with ray_nodes(storage) as nodes:
        yield nodes


def command(source: Path | str, out: Path | str, model: Path, *more: str) -> list[str]:
    arguments = ["annotate", source, "--out", out, "--model", model, "--workers", "1", "--write", OUTPUTS, "--json"]
    # In fp32: with bf16 a box may move by a pixel where a batch holds other films.
    arguments += ["--engine", "openvino:fp32", "--finding", "nodule"]
    return [sys.executable, "-m", "medcam", *map(str, arguments), *more]


def in_bucket(storage: dict[str, str]) -> Any:
    return boto3.client("s3", endpoint_url=storage["AWS_ENDPOINT_URL"], aws_access_key_id="test",
                        aws_secret_access_key="test", region_name="us-east-1")  # fmt: skip


def fetched(client: Any, bucket: str, prefix: str) -> dict[str, bytes]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
    return {key.removeprefix(prefix): client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def test_films_and_results_in_object_storage(
    head: Nodes, storage: dict[str, str], films: Path, alone: Path, model: Path
) -> None:
    client = in_bucket(storage)
    client.create_bucket(Bucket="hospital")
    for name, content in contents(films).items():
        client.put_object(Bucket="hospital", Key=f"films/{name}", Body=content)
    call = command("s3://hospital/films", "s3://hospital/out", model, "--ray", head.address)

    first = subprocess.run(call, capture_output=True, text=True, timeout=PATIENCE, env=head.environment)
    results = fetched(client, "hospital", "out/")
    again = subprocess.run(call, capture_output=True, text=True, timeout=PATIENCE, env=head.environment)

    assert first.returncode == again.returncode == 1, first.stderr + again.stderr
    assert_same(results, alone)
    resumed = fetched(client, "hospital", "out/")
    assert json.loads(resumed["manifest.json"])["reused"] == FILMS
    assert {name: content for name, content in resumed.items() if name != "manifest.json"} == {
        name: content for name, content in results.items() if name != "manifest.json"
    }


def test_a_worker_and_a_machine_are_killed_midway(
    head: Nodes, films: Path, alone: Path, model: Path, tmp_path: Path
) -> None:
    out, second = tmp_path / "out", head.add()
    killed: list[str] = []

    with subprocess.Popen(
        command(films, out, model, "--ray", head.address),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=head.environment,
    ) as run:
        deadline = time.monotonic() + PATIENCE
        while run.poll() is None and len(killed) < 2 and time.monotonic() < deadline:
            finished = len(list(out.glob("*/*/explanation.json")))
            if not killed and 2 <= finished < FILMS:
                worker = next((one for one in workers(head.program.pid)), None)
                if worker is not None:
                    worker.kill()
                    killed.append("worker")
            elif killed == ["worker"] and 5 <= finished < FILMS:
                end(second)
                killed.append("machine")
            time.sleep(0.01)
        _, said = run.communicate(timeout=PATIENCE)

    assert killed == ["worker", "machine"], said
    assert run.returncode == 1, said
    assert_same(contents(out), alone)


def test_a_local_cluster_is_closed_to_others_reports_to_nobody_and_ends_with_its_run(
    films: Path, model: Path, tmp_path: Path
) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ON_LOOPBACK}
    environment |= {"HOME": str(tmp_path)}  # the token that Ray makes goes there
    out = tmp_path / "out"
    call = command(films, out, model, "--ray", "local")
    seen: set[tuple[str, str]] = set()
    told: set[str] = set()
    processes: list[psutil.Process] = []

    with subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment) as run:
        deadline = time.monotonic() + PATIENCE
        while run.poll() is None and time.monotonic() < deadline and not list(out.glob("*/*/explanation.json")):
            processes = [psutil.Process(run.pid), *family(run.pid)]
            seen |= set(listening(processes))
            told |= set(statistics_of(processes))
            time.sleep(0.2)
        run.send_signal(signal.SIGTERM)
        _, said = run.communicate(timeout=PATIENCE)

    assert run.returncode == 143, said
    assert not (out / "manifest.json").exists()
    _, alive = psutil.wait_procs(processes, timeout=30)
    assert not alive
    assert {"gcs_server", "raylet"} <= {name for name, _ in seen}
    assert {address for _, address in seen} == {"127.0.0.1"}
    assert told == {"0"}
    assert not any("dashboard" in name.lower() and "agent" not in name.lower() for name, _ in seen)


def statistics_of(processes: list[psutil.Process]) -> Iterator[str]:
    """What Ray's own processes are told about usage statistics."""
    for process in processes:
        try:
            # One that is just being started, or has ended, has no environment yet or any more.
            if process.name() in ("gcs_server", "raylet") and (environment := process.environ()):
                yield environment.get("RAY_USAGE_STATS_ENABLED", "")
        except psutil.Error:
            continue
