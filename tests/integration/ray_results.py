"""Films of the tests of runs on many machines, and whether two runs wrote the same."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from medcam.dicom import DxAttributes, save_dx

BUDGET = 0.01
"""What a logit may be off by on another engine or in another batch; see docs/explanation/engines.md. A contour is
rounded to as much of a pixel, and may be off by one step."""
PIXELS = 1e-3
"""Share of the pixels of a picture that may differ: where Ray gives a process fewer threads than it has without, sums
differ in their last digits, and a shade or a contour here and there with them."""


def make_film(path: Path, seed: str, number: int) -> None:
    coarse = np.random.default_rng(number).integers(500, 3500, (8, 8)).astype(np.uint16)
    path.parent.mkdir(exist_ok=True)
    save_dx(path, np.kron(coarse, np.ones((32, 32), np.uint16)), DxAttributes(seed=seed, window=(2048, 4096)))


def contents(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def close(one: Any, other: Any) -> bool:
    """The same, but for when it was made, and for numbers that another batch may move within the budget."""
    if isinstance(one, dict) and isinstance(other, dict):
        passing = {"created", "started", "finished"}
        return one.keys() == other.keys() and all(close(one[key], other[key]) for key in one.keys() - passing)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(close, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= BUDGET + 1e-9
    return bool(one == other)


def alike(one: bytes, other: bytes) -> bool:
    """Whether two pictures show the same."""
    mine, theirs = (np.asarray(Image.open(io.BytesIO(content))) for content in (one, other))
    return mine.shape == theirs.shape and bool(np.mean((mine != theirs).any(axis=-1)) <= PIXELS)


def assert_same(results: dict[str, bytes], alone: Path) -> None:
    """Every file is there, and says the same."""
    wanted = contents(alone)
    assert results.keys() == wanted.keys()
    for name in sorted(wanted):
        if name == "manifest.json":
            manifest, other = json.loads(results[name]), json.loads(wanted[name])
            assert close(manifest, other)
        elif name == "quarantine.jsonl":
            assert sorted(results[name].splitlines()) == sorted(wanted[name].splitlines())
        elif name.endswith("explanation.json"):
            assert close(json.loads(results[name]), json.loads(wanted[name])), name
        elif name.endswith(".receipt.json"):
            mine, theirs = json.loads(results[name]), json.loads(wanted[name])
            assert {**mine, "explanation": ""} == {**theirs, "explanation": ""}
        elif name.endswith(".png"):
            assert alike(results[name], wanted[name]), name
        else:
            assert abs(len(results[name]) - len(wanted[name])) < 1024, name
