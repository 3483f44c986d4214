"""What `deidentify` writes is as valid as what it read, by an independent judge (`dciodvfy` of dicom3tools)."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from medcam.dicom import Codec
from medcam.dicom.deidentify import Profile
from medcam.phantom import render, sample_case
from medcam.service.deidentification.options import DeidentifyOptions
from medcam.service.deidentification.run import deidentify_files
from medcam.service.phantoms.phantom_files import save_phantom

SIDE = 96
KINDS = list(product(("MONOCHROME1", "MONOCHROME2"), ("window", "narrow", "sigmoid", "table")))
EXPECTED = "needed to build DICOMDIR - Study "
"""Dates are gone: the profile wants it so."""


@pytest.mark.parametrize("profile", [Profile(), Profile(True, True, True)], ids=["basic", "all options"])
def test_no_new_errors(profile: Profile, tmp_path: Path, require_tool: Callable[[str], str]) -> None:
    judge = require_tool("dciodvfy")
    films = tmp_path / "films"
    films.mkdir()
    for index, (photometric, voi) in enumerate(KINDS):
        case = sample_case(13, index)
        taken = replace(case.acquisition, photometric=photometric, voi=voi, bits_stored=(10, 12, 14)[index % 3])
        case = replace(case, acquisition=taken)
        save_phantom(films, render(case, SIDE), case, list(Codec)[index % len(Codec)], masks=False)
    report = deidentify_files([films], tmp_path / "out", DeidentifyOptions(profile, workers=1))
    assert report.counts["deidentified"] == len(KINDS)
    for item in report.written:
        verdict = subprocess.run([judge, tmp_path / "out" / item.file], capture_output=True, text=True, check=False)
        said = [line for line in (verdict.stdout + verdict.stderr).splitlines() if EXPECTED not in line]
        assert "DXImageForPresentation" in "".join(said)
        assert not [line for line in said if "Error" in line or "Warning" in line]
