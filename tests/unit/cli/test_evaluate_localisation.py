"""`medcam evaluate localisation --truth`."""

import json

import numpy as np
import pytest

from medcam.evaluate.formats.places import Place, PlacedFilm
from medcam.evaluate.formats.runs import Runs
from medcam.evaluate.formats.tables import write_boxes


@pytest.fixture
def files(tmp_path):
    truth, shown = [], []
    for number in range(12):
        mask, other = np.zeros((20, 30), dtype=bool), np.zeros((20, 30), dtype=bool)
        mask[2:12, 3:13] = True
        other[2:12, 3 : 8 + number % 3] = True
        truth.append(PlacedFilm(f"{number}.png", {"Lung Opacity": Place(runs=(Runs.of(mask),))}, 20, 30))
        shown.append(PlacedFilm(f"{number}.png", {"Opacity": Place(runs=(Runs.of(other),))}, 20, 30))
    write_boxes(tmp_path / "truth.csv", truth)
    write_boxes(tmp_path / "shown.csv", shown)
    return tmp_path / "truth.csv", tmp_path / "shown.csv"


def test_figures_as_json_and_in_files(medcam, files, tmp_path):
    truth, shown = files
    words = ("--truth", truth, "--predictions", shown, "--rename", "Lung Opacity=Opacity", "--rule", "0.5")

    ended = medcam("evaluate", "localisation", *words, "--out", tmp_path / "out", "--json")
    figures = json.loads(ended.out)

    assert ended.code == 0
    assert figures["findings"]["Opacity"]["iou"]["value"] == pytest.approx((0.5 + 0.6 + 0.7) / 3)
    assert figures["plan"]["rule"] == "0.5"
    assert (tmp_path / "out" / "films.csv").is_file()


def test_a_table_with_its_rule_and_notes(medcam, files):
    truth, shown = files

    ended = medcam(
        "evaluate", "localisation", "--truth", truth, "--predictions", shown, "--rename", "lung-opacity=Opacity"
    )

    assert ended.code == 0
    assert "0.60 (0." in ended.out
    assert "Opacity: rule paper" in ended.out
    assert "films measured" in ended.out


@pytest.mark.parametrize(
    "words",
    [
        ("FILMS",),
        ("--truth", "T"),
        ("--truth", "T", "--predictions", "P", "FILMS"),
        ("--truth", "T", "--predictions", "P", "--id", "colour"),
        ("--truth", "T", "--predictions", "P", "--rename", "x"),
        ("--truth", "T", "--predictions", "P", "--rename", "=x"),
        ("--truth", "T", "--predictions", "P", "--sizes", "1"),
        ("--truth", "T", "--predictions", "P", "--rule", "best"),
        ("--truth", "T", "--predictions", "P", "--id", "path", "--rename", "Nobody=Opacity"),
    ],
)
def test_wrong_calls_are_told(medcam, files, words, tmp_path):
    names = {"T": files[0], "P": files[1], "FILMS": tmp_path}

    ended = medcam("evaluate", "localisation", *(names.get(word, word) for word in words))

    assert ended.code == 2
    assert "error [" in ended.err
