"""What a run on many machines does as one without --ray: several models, images of a DICOMweb service, a store."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from medcam.experiments.bench.postgres import PostgresServer
from medcam.service.studies.opened import open_studies
from tests.dicomweb_server import DicomwebServer, serving_films

from .ray_nodes import PATIENCE, Nodes, end, ray_nodes, workers
from .ray_results import assert_same, close, contents, make_film

FILMS = 16
SECRET = {"MEDCAM_DICOMWEB_AUTHORIZATION": "Bearer not-told"}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, save_tiny_model: Callable[..., Path]) -> list[Path]:
    folder = tmp_path_factory.mktemp("models")
    return [save_tiny_model(folder / "one", "Nodule", "Mass"), save_tiny_model(folder / "other", "Mass")]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DicomwebServer]:
    folder = tmp_path_factory.mktemp("films")
    for number in range(FILMS):
        make_film(folder / f"{number:02d}.dcm", f"web-{number}", number)
    with serving_films(*(path.read_bytes() for path in sorted(folder.iterdir()))) as server:
        [lost, *_] = server.films
        server.films[lost] = b"no film"
        yield server


@pytest.fixture(scope="module")
def head() -> Iterator[Nodes]:
    with ray_nodes(SECRET) as nodes:
        yield nodes


def command(source: Path | str, out: Path, models: list[Path], *more: str | Path) -> list[str]:
    named = [word for model in models for word in ("--model", model)]
    arguments = ["annotate", source, "--out", out, *named, "--workers", "1", "--write", "json,png,sr", "--json"]
    return [sys.executable, "-m", "medcam", *map(str, (*arguments, "--engine", "openvino:fp32", *more))]


def searched(service: DicomwebServer) -> str:
    return f"{service.service}/studies/{service.study}"


def ran(call: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(call, capture_output=True, text=True, timeout=PATIENCE, env=environment)


def kept(store: Path | str) -> tuple[dict[Any, Any], dict[str, bytes]]:
    """What a store says of each film by each model, without times, and its files by name."""
    said = {}
    with closing(open_studies(store, make=False)) as opened:
        for one in opened.films.explanation_ids():
            explanation, film = opened.films.explanation(one) or pytest.fail("it is gone")
            key = (film.id, explanation.card_sha256)
            assert key not in said, "kept twice"
            said[key] = {
                "request": explanation.request,
                "content": json.loads(explanation.content),
                "film": (film.sha256, film.source, film.display, film.attributes),
                "findings": [[one.name, one.probability, one.present] for one in explanation.findings],
            }
        assert len(opened.films.models()) == len({card for _, card in said})
        # A process that is killed while it writes leaves a part of a file, which nobody reads.
        files = {name: content for name, content in contents(opened.files.folder).items() if not name.endswith(".part")}
        return said, files


def assert_kept_alike(one: Path | str, other: Path | str, count: int) -> None:
    (said, files), (wanted, wanted_files) = kept(one), kept(other)
    assert len(said) == count
    assert close(said, wanted)
    assert files == wanted_files


def test_a_search_is_explained_by_two_models_into_a_store_though_a_process_is_killed(
    head: Nodes, service: DicomwebServer, models: list[Path], tmp_path: Path
) -> None:
    alone, out = tmp_path / "alone", tmp_path / "out"
    first = ran(command(searched(service), alone, models, "--store", tmp_path / "wanted"), head.environment)
    assert first.returncode == 1, first.stderr
    call = command(searched(service), out, models, "--store", tmp_path / "store", "--ray", head.address)

    killed = False
    with subprocess.Popen(
        call, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=head.environment
    ) as run:
        deadline = time.monotonic() + PATIENCE
        while run.poll() is None and not killed and time.monotonic() < deadline:
            if len(list(out.glob("*/*/*/explanation.json"))) >= 3:
                [worker, *_] = workers(head.program.pid)
                worker.kill()
                killed = True
            time.sleep(0.01)
        _, said = run.communicate(timeout=PATIENCE)
    assert killed, said
    assert run.returncode == 1, said
    assert {path.name for path in out.iterdir() if path.is_dir()} == {
        path.name for path in alone.iterdir() if path.is_dir()
    }
    assert_same(contents(out), alone)
    assert_kept_alike(tmp_path / "store", tmp_path / "wanted", 2 * (FILMS - 1))

    results = contents(out)
    again = ran(call, head.environment)
    assert again.returncode == 1, again.stderr
    assert [one["reused"] for one in json.loads(again.stdout)] == [FILMS - 1] * 2
    unchanged = {name for name in results if name.endswith(("explanation.json", ".dcm", ".png"))}
    assert unchanged
    assert all(contents(out)[name] == results[name] for name in unchanged)
    assert_kept_alike(tmp_path / "store", tmp_path / "wanted", 2 * (FILMS - 1))


def test_a_machine_without_the_secret_of_a_service_says_so_before_anything_is_done(
    service: DicomwebServer, head: Nodes, models: list[Path], tmp_path: Path
) -> None:
    headers = {"MEDCAM_DICOMWEB_HEADERS": "X-Api-Key: of-the-driver-alone"}
    call = command(searched(service), tmp_path / "out", models[:1], "--ray", head.address)

    ended = ran(call, head.environment | headers)

    assert ended.returncode == 3
    assert "machines-differ" in ended.stderr
    assert "x-api-key" in ended.stderr
    assert "of-the-driver-alone" not in ended.stderr
    assert not list((tmp_path / "out").glob("*/*"))


def test_a_machine_is_killed_while_all_write_into_postgresql(
    postgres: PostgresServer, models: list[Path], tmp_path: Path
) -> None:
    for number in range(FILMS):
        make_film(tmp_path / "films" / f"{number:02d}.dcm", f"db-{number}", number)
    films, out, url = tmp_path / "films", tmp_path / "out", postgres.new_url()
    with ray_nodes({"MEDCAM_FILMS": str(tmp_path / "kept")}) as nodes, pytest.MonkeyPatch.context() as patch:
        second = nodes.add()
        first = ran(command(films, tmp_path / "alone", models[:1], "--store", tmp_path / "wanted"), nodes.environment)
        call = command(films, out, models[:1], "--store", url, "--ray", nodes.address)
        killed = False
        with subprocess.Popen(
            call, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=nodes.environment
        ) as run:
            deadline = time.monotonic() + PATIENCE
            while run.poll() is None and not killed and time.monotonic() < deadline:
                if len(list(out.glob("*/*/explanation.json"))) >= 3:
                    end(second)
                    killed = True
                time.sleep(0.01)
            _, said = run.communicate(timeout=PATIENCE)

        assert (first.returncode, run.returncode, killed) == (0, 0, True), first.stderr + said
        assert_same(contents(out), tmp_path / "alone")
        patch.setenv("MEDCAM_FILMS", str(tmp_path / "kept"))
        assert_kept_alike(url, tmp_path / "wanted", FILMS)
        verified = ran([sys.executable, "-m", "medcam", "audit", "verify", "--store", url], dict(os.environ))
        assert verified.returncode == 0, verified.stdout + verified.stderr
        elsewhere = ran(call, nodes.environment | {"MEDCAM_FILMS": str(tmp_path / "elsewhere")})
        assert (elsewhere.returncode, "store-not-shared" in elsewhere.stderr) == (3, True), elsewhere.stderr
        assert len(list((tmp_path / "kept").glob(".run-*"))) == 0
