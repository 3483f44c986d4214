"""What `medcam deidentify` wrote goes through `medcam annotate` as it is: as a folder, and packed for the way."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from medcam.service.phantoms.sample_data import sample_films, sample_folder


def medcam(*words: object) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-m", "medcam", *map(str, words), "--workers", "1", "--json"]
    return subprocess.run(call, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, save_tiny_model: Callable[..., Path]) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("model"), "Nodule", "Mass")


@pytest.fixture(scope="module")
def anonymous(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("deidentified") / "anonymous"
    ended = medcam("deidentify", sample_folder(), "--out", out)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["counts"]["deidentified"] == len(sample_films())
    return out


@pytest.mark.parametrize("packing", ["", "zip", "gztar"])
def test_the_films_are_annotated_and_nothing_is_refused(
    anonymous: Path, model: Path, tmp_path: Path, packing: str
) -> None:
    sent = anonymous
    if packing:
        sent = Path(shutil.make_archive(str(tmp_path / "sent"), packing, anonymous.parent, anonymous.name))
    ended = medcam("annotate", sent, "--out", tmp_path / "results", "--model", model, "--finding", "nodule")
    assert ended.returncode == 0, ended.stderr
    manifest = json.loads(ended.stdout)
    assert (manifest["counts"]["annotated"], manifest["counts"]["quarantined"]) == (len(sample_films()), 0)
    # The report and the record of what is finished lie beside the films and are seen to be none.
    assert {Path(item["source"]).suffix for item in manifest["skipped"]} == {".json", ".jsonl"}
    assert {item["code"] for item in manifest["skipped"]} == {"not-dicom"}
