"""`medcam phantom make`: what it prints and how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Ended

Medcam = Callable[..., Ended]


def test_it_makes_films_and_says_what_is_on_them(medcam: Medcam, tmp_path: Path) -> None:
    ended = medcam("phantom", "make", "--out", tmp_path, "--count", 2, "--seed", 4, "--size", 64, "--finding", "mass")
    assert ended.code == 0
    assert "Mass: 2" in ended.out
    assert "Not a medical device" in ended.out
    assert "phantoms: 2 of 2" in ended.err
    assert len(list(tmp_path.glob("*.dcm"))) == 2


def test_json_is_all_that_is_printed(medcam: Medcam, tmp_path: Path) -> None:
    ended = medcam(
        "phantom", "make", "--out", tmp_path, "--count", 1, "--seed", 4, "--size", 64, "--prevalence", 0, "--json"
    )
    assert json.loads(ended.out) == {
        "truth": str(tmp_path / "truth.json"),
        "films": 1,
        "findings": {"no finding": 1},
    }


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--count", 0, "--seed", 1), "at least one"),
        (("--count", 1, "--seed", 1, "--finding", "Emphysema"), "Cardiomegaly"),
        (("--count", 1, "--seed", 1, "--codec", "zip"), "jpeg-ls"),
        (("--count", 1), "--seed"),
    ],
)
def test_a_wrong_call_ends_with_2_and_writes_nothing(
    medcam: Medcam, tmp_path: Path, options: tuple[object, ...], said: str
) -> None:
    ended = medcam("phantom", "make", "--out", tmp_path / "out", *options)
    assert ended.code == 2
    assert said in ended.err
    assert not (tmp_path / "out").exists()
