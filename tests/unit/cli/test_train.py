"""`medcam train`: what each kind of data starts from, and calls that are refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from medcam.cli.main import app
from medcam.core.errors import UsageError


def test_each_kind_of_data_has_its_recipe() -> None:
    shown = {
        data: json.loads(CliRunner().invoke(app, ["train", "--data", data, "--show-config"]).stdout)
        for data in ("phantom", "text", "films")
    }
    assert shown["text"]["augmentation"]["flip"] == 0
    assert shown["text"]["objective"]["pairs"] == 0
    assert set(shown["text"]["objective"]["extents"]) == {"Burned-in Text"}
    assert shown["phantom"]["objective"]["pairs"] > 0
    assert shown["films"]["patience"] > 0


@pytest.mark.parametrize(
    "words",
    [
        ["text", "--from", "phantom"],
        ["text", "--finding", "Mass"],
        ["text", "--size", "10"],
        ["text", "--count", "3"],
        ["phantom", "--count", "19"],
    ],
)
def test_what_cannot_be_trained_is_refused_before_anything_is_made(words: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["train", "--data", *words, "--out", str(tmp_path / "out")])
    assert isinstance(result.exception, UsageError) or result.exit_code == 2
    assert not (tmp_path / "out").exists()
