"""`medcam annotate --ray local` and a real DICOMweb server: two models, a store in a file, results sent back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .ray_nodes import PATIENCE
from .ray_results import assert_same, contents, make_film
from .servers.orthanc import Orthanc
from .test_ray_parity import assert_kept_alike

FILMS = 4


@pytest.fixture
def models(tmp_path: Path, save_tiny_model: Callable[..., Path]) -> list[Path]:
    return [save_tiny_model(tmp_path / "one", "Nodule", "Mass"), save_tiny_model(tmp_path / "other", "Mass")]


def annotated(orthanc: Orthanc, models: list[Path], tmp_path: Path, out: str, *more: str) -> Path:
    """Runs the command; the folder that it writes. Ray's token goes to a home of the test's own."""
    named = [word for model in models for word in ("--model", str(model))]
    places = ("--out", str(tmp_path / out), "--store", str(tmp_path / f"store-{out}"))
    call = [sys.executable, "-m", "medcam", "annotate", orthanc.web, *places, *named, "--write", "json,png,sr", *more]
    secret = {"MEDCAM_DICOMWEB_AUTHORIZATION": orthanc.authorization, "HOME": str(tmp_path)}
    ended = subprocess.run(
        [*call, "--workers", "1", "--engine", "openvino:fp32"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, **secret},
    )
    assert ended.returncode == 0, ended.stderr
    return tmp_path / out


def test_a_server_is_searched_and_gets_what_two_models_say(
    orthanc: Orthanc, models: list[Path], tmp_path: Path
) -> None:
    for number in range(FILMS):
        make_film(tmp_path / "films" / f"{number}.dcm", f"pacs-{number}", number)
        orthanc.upload(tmp_path / "films" / f"{number}.dcm")
    alone = annotated(orthanc, models, tmp_path, "alone")

    out = annotated(orthanc, models, tmp_path, "out", "--ray", "local")

    assert_same(contents(out), alone)
    assert_kept_alike(tmp_path / "store-out", tmp_path / "store-alone", 2 * FILMS)
    again = annotated(orthanc, models, tmp_path, "out", "--ray", "local", "--send-to", orthanc.web)
    for manifest in again.glob("*/manifest.json"):
        told = json.loads(manifest.read_text(encoding="utf-8"))
        assert (told["reused"], told["deliveries"]["sent"]) == (FILMS, FILMS)
    assert len(orthanc.instances()) == FILMS + 2 * FILMS
