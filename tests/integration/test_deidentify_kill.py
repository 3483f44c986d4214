"""`medcam deidentify` killed midway: the same command goes on, and the end is that of an unbroken run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
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


def identifiers(films: Path) -> list[bytes]:
    """Everything about a patient that was planted, in lower case; "broken.dcm" holds nothing."""
    found = {"brandenburg", "wilhelmine", "mrn-4711"}
    for path in films.glob("[0-9]*.dcm"):
        film = pydicom.dcmread(path, stop_before_pixels=True)
        found |= {film.PatientID, str(film.PatientName), film.StudyInstanceUID}
        found |= {film.SeriesInstanceUID, film.SOPInstanceUID}
    return [text.lower().encode() for text in sorted(found)]


def outputs(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.glob("*/*/*.dcm")}


def kill_midway(films: Path, out: Path, key: Path) -> int:
    with subprocess.Popen(command(films, out, key), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + PATIENCE
        while len(list(out.glob("*/*/*.dcm"))) < ENOUGH and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        process.kill()
    return process.returncode


def plant_leftovers(out: Path, key: Path) -> None:
    """What a kill at the worst moment leaves: half an output, half a line of the record, half a key with names."""
    next(out.glob("*/*/*.dcm")).with_name(".half.dcm.1.part").write_bytes(NAMES[0].encode())
    with (out / ".deidentified.jsonl").open("a") as record:
        record.write('{"source": "00')
    key.with_name(f".{key.name}.1.part").write_text(NAMES[0])


def go_on(films: Path, out: Path, key: Path) -> dict[str, Any]:
    """Ends with 1, since one file is broken; returns the report."""
    ended = subprocess.run(command(films, out, key), capture_output=True, text=True, check=False)
    assert ended.returncode == 1, ended.stderr
    report: dict[str, Any] = json.loads(ended.stdout)
    assert report["counts"] == {"deidentified": FILMS, "skipped": 0, "quarantined": 1, "duplicate": 0}
    return report


def test_a_killed_run_goes_on_as_if_nothing_had_happened(films: Path, tmp_path: Path) -> None:
    out, key = tmp_path / "out", tmp_path / "key.json"
    assert kill_midway(films, out, key) == -signal.SIGKILL
    assert not (out / "deidentification.json").exists()
    early = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in out.glob("*/*/*.dcm")}
    assert ENOUGH <= len(early) < FILMS
    recorded = len((out / ".deidentified.jsonl").read_text().splitlines())
    plant_leftovers(out, key)

    # The secret was kept before anything was written, so that the same patients get the same pseudonyms.
    report = go_on(films, out, key)
    assert sum(item["kept"] for item in report["outputs"]) == recorded >= len(early) - 1
    redone = [path for path, (_, stamp) in early.items() if path.stat().st_mtime_ns != stamp]
    assert len(redone) == len(early) - recorded  # at most the one that was killed before its line
    assert {path: path.read_bytes() for path in early} == {path: data for path, (data, _) in early.items()}
    assert sorted(item["file"] for item in report["outputs"]) == sorted(outputs(out))
    made = [pydicom.dcmread(path, stop_before_pixels=True) for path in out.glob("*/*/*.dcm")]
    assert len({film.SOPInstanceUID for film in made}) == len(made) == FILMS
    assert len({film.PatientID for film in made}) == len(NAMES)
    assert not list(tmp_path.rglob("*.part"))

    everything = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file()).lower()
    assert not [text for text in identifiers(films) if text in everything]


def test_a_run_that_was_killed_ends_like_an_unbroken_one(films: Path, tmp_path: Path) -> None:
    """Same files, same bytes, UIDs among them; and the same key, to which the killed run had added nothing."""
    out, whole, key, other = (tmp_path / name for name in ("out", "whole", "key.json", "other.json"))
    assert kill_midway(films, out, key) == -signal.SIGKILL
    begun = json.loads(key.read_text())
    assert (begun["patients"], begun["studies"]) == ({}, {})
    other.write_text(json.dumps(begun | {"inputs": {}}))
    other.chmod(0o600)

    reports = [go_on(films, out, key), go_on(films, whole, other)]
    assert outputs(out) == outputs(whole)
    for item in (item for report in reports for item in report["outputs"]):
        item.pop("kept")
    assert reports[0] == reports[1]
    ended, unbroken = (json.loads(path.read_text()) for path in (key, other))
    assert (ended["patients"], ended["studies"]) == (unbroken["patients"], unbroken["studies"])
    assert {each["PatientName"] for each in ended["patients"].values()} == set(NAMES)
    assert len(ended["studies"]) == FILMS
    assert ended["inputs"][os.path.realpath(out)] == unbroken["inputs"][os.path.realpath(whole)]
