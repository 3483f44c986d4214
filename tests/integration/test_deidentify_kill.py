"""`medcam deidentify` killed midway: the same command goes on, and the end is that of an unbroken run."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from medcam.dicom import DxAttributes, save_dx

FILMS, ENOUGH, PATIENCE = 16, 3, 120.0
NAMES = [f"Brandenburg^Wilhelmine{letter * 3}" for letter in "ABCDEFGH"]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    random = np.random.default_rng(6)
    for index in range(FILMS):
        pixels = np.kron(random.integers(500, 3500, (64, 64)).astype(np.uint16), np.ones((8, 8), np.uint16))
        attributes = DxAttributes(
            seed=f"deidentify-kill-{index}",
            patient_name=NAMES[index // 2],
            patient_id=f"MRN-4711-{index // 2}",
            window=(2048, 4096),
        )
        save_dx(folder / f"{index:02d}.dcm", pixels, attributes)
    (folder / "broken.dcm").write_bytes(b"")
    return folder


def command(films: Path, out: Path, key: Path) -> list[str]:
    words = ["deidentify", films, "--out", out, "--key", key, "--clean-pixels", "--workers", "1", "--json"]
    return [sys.executable, "-m", "medcam", *map(str, words)]


def outputs(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.glob("*/*/*.dcm")}


def kill_midway(films: Path, out: Path, key: Path) -> None:
    with subprocess.Popen(command(films, out, key), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + PATIENCE
        while len(list(out.glob("*/*/*.dcm"))) < ENOUGH and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        process.kill()


def test_a_killed_run_goes_on_as_if_nothing_had_happened(films: Path, tmp_path: Path) -> None:
    out, whole, key = tmp_path / "out", tmp_path / "whole", tmp_path / "key.json"
    kill_midway(films, out, key)
    assert not (out / "deidentification.json").exists()
    early = outputs(out)
    assert ENOUGH <= len(early) < FILMS
    stale = next(out.glob("*/*/*.dcm")).with_name(".half.dcm.1.part")  # what a kill may leave
    stale.write_bytes(b"half")

    # The secret was kept before anything was written, so that the same patients get the same pseudonyms.
    ended = subprocess.run(command(films, out, key), capture_output=True, text=True, check=False)
    assert ended.returncode == 1, ended.stderr
    counts = json.loads(ended.stdout)["counts"]
    assert (counts["deidentified"], counts["quarantined"]) == (FILMS, 1)
    assert not list(out.rglob("*.part"))
    after = outputs(out)
    assert len(after) == FILMS
    assert {name: after[name] for name in early} == early

    remembered = json.loads(key.read_text())
    assert {each["PatientName"] for each in remembered["patients"].values()} == set(NAMES)
    assert len(remembered["studies"]) == FILMS

    unbroken = subprocess.run(command(films, whole, key), capture_output=True, text=True, check=False)
    assert unbroken.returncode == 1, unbroken.stderr
    assert outputs(whole) == after
    again = json.loads(key.read_text())
    assert (again["patients"], again["studies"]) == (remembered["patients"], remembered["studies"])

    everything = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file()).lower()
    assert b"brandenburg" not in everything
    assert b"4711" not in everything
