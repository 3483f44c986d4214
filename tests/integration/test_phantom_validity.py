"""Phantoms are valid DX images by an independent judge (`dciodvfy` of dicom3tools)."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from medcam.dicom import Codec
from medcam.phantom import render, sample_case
from medcam.service.phantoms.phantom_files import save_phantom

SIDE = 80
KINDS = list(product(("MONOCHROME1", "MONOCHROME2"), ("window", "narrow", "sigmoid", "table")))


@pytest.mark.parametrize("codec", Codec)
def test_phantoms_have_no_errors(codec: Codec, tmp_path: Path, require_tool: Callable[[str], str]) -> None:
    judge = require_tool("dciodvfy")
    for index, (photometric, voi) in enumerate(KINDS):
        case = sample_case(13, index)
        bits = (10, 12, 14)[index % 3]
        taken = replace(case.acquisition, photometric=photometric, voi=voi, bits_stored=bits)
        case = replace(case, acquisition=taken)
        record = save_phantom(tmp_path, render(case, SIDE), case, codec, masks=False)
        verdict = subprocess.run([judge, tmp_path / record["file"]], capture_output=True, text=True, check=False)
        said = verdict.stdout + verdict.stderr
        assert "DXImageForPresentation" in said
        assert "Error" not in said, (codec, photometric, voi, said)
        assert "Warning" not in said, (codec, photometric, voi, said)
