"""The whole files that damage starts from."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom.data
from pydicom.dataset import Dataset

from medcam.dicom import Codec, DxAttributes, write_dx

_LARGEST = 4 << 20
_SIDE = 160


def shipped() -> list[tuple[str, bytes]]:
    """All files that ship with pydicom and with pydicom-data, whatever they are."""
    homes = [Path(pydicom.data.__file__).parent]
    extra = importlib.util.find_spec("data_store")
    if extra is not None and extra.origin is not None:
        homes.append(Path(extra.origin).parent)
    paths = sorted(path for home in homes for path in home.rglob("*") if path.is_file())
    return [(path.name, path.read_bytes()) for path in paths if "__pycache__" not in path.parts]


def films() -> Iterator[tuple[str, bytes]]:
    """Small DX films in every codec that is written here."""
    rng = np.random.default_rng(7)
    ramp = np.linspace(0, 3800, _SIDE * _SIDE).reshape(_SIDE, _SIDE) + rng.normal(0, 30, (_SIDE, _SIDE))
    pixels = np.clip(ramp, 0, 4095).astype(np.uint16)
    table = np.linspace(0, 4095, 4096).astype(np.uint16)
    for codec in Codec:
        plain = DxAttributes(seed=f"fuzz {codec}", window=(2048, 4096), codec=codec)
        yield f"{codec}.dcm", _encoded(write_dx(pixels, plain))
        rich = DxAttributes(
            seed=f"rich {codec}", voi_table=table, voi_table_bits=12, padding=0, inverse=True, codec=codec
        )
        yield f"{codec}-inverse.dcm", _encoded(write_dx(pixels, rich))


def corpus() -> list[tuple[str, bytes]]:
    """Everything that is DICOM and small enough to be damaged often; films several times, since they matter most."""
    others = [(name, data) for name, data in shipped() if 200 < len(data) <= _LARGEST and _may_be_dicom(name)]
    return others + list(films()) * 6


def _may_be_dicom(name: str) -> bool:
    return Path(name).suffix.lower() not in (".py", ".txt", ".md", ".json", ".zip", ".gz", ".tar", ".pyc")


def _encoded(dataset: Dataset) -> bytes:
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
