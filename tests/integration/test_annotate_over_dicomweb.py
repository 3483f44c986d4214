"""`medcam annotate dicomweb://... --send-to ...` against a real server: pulled, annotated, stored in the same study."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

import pydicom
import pytest

from .servers.orthanc import Orthanc

ROOT = Path(__file__).resolve().parents[2]
FILMS = sorted((ROOT / "sample_data").glob("*.dcm"))[:3]
KINDS = {"1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.88.34"}
"""Secondary Capture and Comprehensive 3D SR, which every film gets."""


def command(orthanc: Orthanc, out: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "medcam", "annotate", *arguments, "--out", str(out), "--json"]


def environment(orthanc: Orthanc) -> dict[str, str]:
    return {**os.environ, "MEDCAM_DICOMWEB_AUTHORIZATION": orthanc.authorization}


def annotate(orthanc: Orthanc, out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(orthanc, out, *arguments), env=environment(orthanc), capture_output=True, text=True, timeout=300
    )


def deliveries(out: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (out / "deliveries.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def with_films(orthanc: Orthanc) -> Orthanc:
    for film in FILMS:
        orthanc.upload(film)
    return orthanc


def contents(orthanc: Orthanc) -> dict[str, bytes]:
    return {uid: orthanc.rest("GET", f"/instances/{found}/file").content for uid, found in orthanc.instances().items()}


@pytest.mark.parametrize("how", ["web", "dimse"])
def test_results_come_to_lie_in_the_studies_and_twice_is_once(with_films, tmp_path, how):
    target = getattr(with_films, how)
    first = annotate(with_films, tmp_path / "out", with_films.web, "--send-to", target)
    assert first.returncode == 0, first.stderr
    manifest = json.loads(first.stdout)
    assert manifest["counts"] == {"annotated": len(FILMS), "skipped": 0, "quarantined": 0, "duplicate": 0}
    assert manifest["deliveries"]["sent"] == len(deliveries(tmp_path / "out")) >= 2 * len(FILMS)
    assert {item["source"].split("/")[0] for item in manifest["annotated"]} == {"dicomweb"}
    for film in FILMS:
        source = pydicom.dcmread(film, stop_before_pixels=True)
        found = with_films.instances(source.StudyInstanceUID)
        classes = {pydicom.dcmread(BytesIO(with_films.file(uid))).SOPClassUID for uid in found}
        assert source.SOPInstanceUID in found
        assert classes >= KINDS
    stored = contents(with_films)

    again = annotate(with_films, tmp_path / "out", with_films.web, "--send-to", target)
    assert again.returncode == 0, again.stderr
    kept = json.loads(again.stdout)
    assert kept["counts"] == manifest["counts"]
    assert kept["deliveries"] == {**manifest["deliveries"], "sent": 0, "already_sent": manifest["deliveries"]["sent"]}
    assert contents(with_films) == stored

    elsewhere = annotate(with_films, tmp_path / "elsewhere", with_films.web, "--send-to", target)
    assert elsewhere.returncode == 0, elsewhere.stderr
    assert json.loads(elsewhere.stdout)["counts"] == manifest["counts"]
    assert set(contents(with_films)) == set(stored)


def test_one_study_is_annotated_and_nothing_of_it_is_told_in_clear(with_films, tmp_path):
    source = pydicom.dcmread(FILMS[0], stop_before_pixels=True)

    ended = annotate(with_films, tmp_path / "out", f"{with_films.web}/studies/{source.StudyInstanceUID}")

    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["counts"]["annotated"] == 1
    said = ended.stdout + ended.stderr + (tmp_path / "out" / "manifest.json").read_text(encoding="utf-8")
    for value in (source.PatientID, str(source.PatientName), source.StudyInstanceUID, with_films.authorization):
        assert value not in said


@pytest.mark.parametrize(
    ("search", "count"),
    [("?StudyDate=19000101-19001231", 0), ("?PatientID={id}", 1), ("?Modality=CT", 0), ("?ModalitiesInStudy=DX", 3)],
)
def test_searches_find_what_they_name(with_films, tmp_path, search, count):
    source = pydicom.dcmread(FILMS[1], stop_before_pixels=True)

    ended = annotate(with_films, tmp_path / "out", with_films.web + search.format(id=source.PatientID))

    assert (ended.returncode, json.loads(ended.stdout)["counts"]["annotated"]) == (0 if count else 3, count)


@pytest.mark.parametrize("trouble", ["password", "path", "port"])
def test_a_service_that_cannot_be_searched_stops_the_run_before_anything_is_done(with_films, tmp_path, trouble):
    url, variables = with_films.web, environment(with_films)
    if trouble == "password":
        del variables["MEDCAM_DICOMWEB_AUTHORIZATION"]
    url = {"path": url.replace("dicom-web", "nowhere"), "port": "dicomweb://127.0.0.1:1/x"}.get(trouble, url)

    ended = subprocess.run(
        command(with_films, tmp_path / "out", url), env=variables, capture_output=True, text=True, timeout=300
    )

    code = {"password": "not-authorised", "path": "web-not-found", "port": "web-unreachable"}[trouble]
    assert (ended.returncode, code in ended.stderr, (tmp_path / "out").exists()) == (3, True, False)


def test_a_run_that_is_killed_while_it_sends_delivers_the_same_bytes_the_next_time(with_films, tmp_path):
    out = tmp_path / "out"
    arguments = (with_films.web, "--send-to", with_films.web)
    killed = subprocess.Popen(
        command(with_films, out, *arguments),
        env=environment(with_films),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 240
    while len(with_films.instances()) == len(FILMS) and killed.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert not (out / "manifest.json").exists()
    before = contents(with_films)
    assert len(before) > len(FILMS)

    ended = annotate(with_films, out, *arguments)

    assert ended.returncode == 0, ended.stderr
    after = contents(with_films)
    assert {uid: after[uid] for uid in before} == before
    accepted = {item["file"] for item in deliveries(out) if item["outcome"] == "accepted"}
    assert accepted == {path.relative_to(out).as_posix() for path in out.rglob("*.dcm")}
    assert set(after) == {
        *before,
        *(str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID) for path in out.rglob("*.dcm")),
    }


def test_a_destination_that_is_away_is_told_and_served_by_the_next_run(with_films, tmp_path):
    film = f"{with_films.web}/studies/{pydicom.dcmread(FILMS[0], stop_before_pixels=True).StudyInstanceUID}"
    out = tmp_path / "out"
    refusing = annotate(with_films, out, film, "--send-to", with_films.dimse, "--calling-aet", "STRANGER")
    assert refusing.returncode == 1, refusing.stderr
    told = json.loads(refusing.stdout)
    assert (told["counts"]["annotated"], told["deliveries"]["sent"]) == (1, 0)
    assert told["deliveries"]["failed"] == len(list(out.rglob("*.dcm")))
    objects = {path: path.read_bytes() for path in out.rglob("*.dcm")}

    ended = annotate(with_films, out, film, "--send-to", with_films.dimse)

    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["deliveries"]["sent"] == len(objects)
    assert {path: path.read_bytes() for path in out.rglob("*.dcm")} == objects
