"""A run that is stopped midway, in whatever way, loses nothing and redoes nothing when it is called again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from medcam.dicom import DxAttributes, save_dx
from medcam.service.explanations.explanation_json import read_explanation

FILMS = 14
ENOUGH = 3
"""Finished films at which the run is stopped."""
PATIENCE = 120.0


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, save_tiny_model: Callable[..., Path]) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("model"), "Nodule", "Mass")


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    random = np.random.default_rng(4)
    for index in range(FILMS):
        coarse = random.integers(500, 3500, (8, 8)).astype(np.uint16)
        pixels = np.kron(coarse, np.ones((16, 16), np.uint16))
        save_dx(folder / f"{index:02d}.dcm", pixels, DxAttributes(seed=f"kill-{index}", window=(2048, 4096)))
    (folder / "broken.dcm").write_bytes(b"")
    return folder


def command(films: Path, out: Path, model: Path) -> list[str]:
    arguments = ["annotate", films, "--out", out, "--model", model, "--workers", "1", "--finding", "nodule", "--json"]
    return [sys.executable, "-m", "medcam", *map(str, arguments)]


def finished(out: Path) -> list[Path]:
    return sorted(out.glob("*/*/explanation.json"))


def hears_interrupts() -> None:
    """A shell starts what runs in its background deaf to SIGINT, and children inherit it: the tests' may not be."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def stop_midway(films: Path, out: Path, model: Path, number: signal.Signals) -> int:
    """Starts a run and stops it when a few films are finished; returns the exit code."""
    with subprocess.Popen(
        command(films, out, model),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hears_interrupts,
    ) as process:
        deadline = time.monotonic() + PATIENCE
        while len(finished(out)) < ENOUGH and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(number)
        _, said = process.communicate(timeout=PATIENCE)
    assert len(finished(out)) >= ENOUGH, said
    return process.returncode


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 143), (signal.SIGINT, 130)],
    ids=lambda value: value.name if isinstance(value, signal.Signals) else "",
)
def test_a_stopped_run_is_resumed(films: Path, model: Path, tmp_path: Path, number: signal.Signals, code: int) -> None:
    out = tmp_path / "out"
    assert stop_midway(films, out, model, number) == code
    assert not (out / "manifest.json").exists()
    kept = finished(out)
    assert ENOUGH <= len(kept) < FILMS
    for path in kept:
        assert read_explanation(path).findings
    before = {path: path.stat().st_mtime_ns for folder in kept for path in folder.parent.iterdir()}

    ended = subprocess.run(command(films, out, model), capture_output=True, text=True, check=False)
    assert ended.returncode == 1, ended.stderr
    manifest = json.loads(ended.stdout)
    assert manifest == json.loads((out / "manifest.json").read_text())
    assert manifest["counts"] == {"annotated": FILMS, "skipped": 0, "quarantined": 1, "duplicate": 0}
    assert manifest["reused"] == len(kept)
    assert len(finished(out)) == FILMS
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len((out / "quarantine.jsonl").read_text().splitlines()) == 1
    assert not [path for path in out.rglob("*") if path.name.endswith(".part")]
