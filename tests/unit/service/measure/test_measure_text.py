"""What detectors of print found is counted as the masks say, on phantoms and on real films."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medcam.core.arrays import BoolArray, FloatArray
from medcam.core.errors import UsageError
from medcam.service.measure import text, text_real
from medcam.service.measure.burned_lines import Print, burn_line
from medcam.service.measure.text import TextPlan, judged, text_figures
from medcam.service.measure.text_real import (
    BOTH,
    BY_HAND,
    LABELLED,
    LEARNT,
    NAMES,
    Detectors,
    attribute_figures,
    label_rows,
    real_figures,
)

TINY = TextPlan(films=2, side=192, real=0)


def nothing(film: FloatArray) -> BoolArray:
    return np.zeros(film.shape, np.bool_)


def everything(film: FloatArray) -> BoolArray:
    return np.ones(film.shape, np.bool_)


def test_what_was_found_is_counted_pixel_by_pixel_and_box_by_box() -> None:
    film = np.full((100, 300), 0.5, np.float32)
    first, second = (burn_line(film, Print("HELP", height=12), top, 20) for top in (10, 60))
    found, on_clean = np.zeros((2, 100, 300), np.bool_)
    found[first.place] = True
    found[50:53, 200:210] = found[50:53, 250:260] = True
    on_clean[5:10, 5:10] = True
    told = judged(found, on_clean, [first, second])
    assert told.lines == (1.0, 0.0)
    assert told.ink == pytest.approx(first.ink.sum() / (first.ink.sum() + second.ink.sum()))
    assert (told.alarms, told.clean_alarms) == (2, 1)
    assert told.outside == pytest.approx(60 / 30_000)
    assert told.clean == pytest.approx(25 / 30_000)


def test_figures_have_n_and_interval_and_a_second_run_takes_the_finished_phantoms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = text_figures(TINY, tmp_path)
    told = figures.as_dict()
    assert json.loads(json.dumps(told))["plan"]["films"] == 2
    assert set(figures.phantoms) == set(NAMES)
    recall = {name: each["films"]["recall of the characters' area"] for name, each in figures.phantoms.items()}
    for each in recall.values():
        assert each["n"] == 2
        assert 0 <= each["low"] <= each["value"] <= each["high"] <= 1
    assert recall[BOTH]["value"] >= max(recall[LEARNT]["value"], recall[BY_HAND]["value"])
    assert figures.phantoms[LEARNT]["lines"]["all"]["touched"]["n"] >= 2
    assert figures.real is figures.attribute is None
    monkeypatch.setattr(text, "look", None)
    assert text_figures(TINY, tmp_path).phantoms == figures.phantoms


def test_real_films_are_judged_by_what_someone_saw(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for name in ("a", "b"):
        Image.fromarray(random.integers(80, 90, (120, 100)).astype(np.uint8)).save(tmp_path / f"{name}.png")
    labels = tmp_path / "labels.csv"
    labels.write_text(
        "image,part,text\na.png,whole,yes\na.png,middle,no\nb.png,whole,no\nb.png,middle,\nabsent.png,whole,yes\n"
    )
    told = real_figures(tmp_path, labels, 10, Detectors(nothing))[LEARNT]
    assert (told.with_print, told.without, told.covered.value) == (1, 2, 0.0)  # type: ignore[union-attr]
    assert (told.found.value, told.left_alone.value) == (0.0, 1.0)  # type: ignore[union-attr]
    assert told.wrong == ("a.png (whole)",)
    told = real_figures(tmp_path, labels, 10, Detectors(everything))[BOTH]
    assert (told.found.value, told.left_alone.value) == (1.0, 0.0)  # type: ignore[union-attr]
    assert told.wrong == ("a.png (middle)", "b.png (whole)")
    labels.write_text("image,part,text\na.png,corner,yes\n")
    with pytest.raises(UsageError):
        label_rows(labels)


def test_the_labelled_films_are_there_once_each_and_both_answers_occur(shared_data: Path) -> None:
    rows = label_rows(LABELLED)
    assert len({(row["image"], row["part"]) for row in rows}) == len(rows) > 100
    assert {row["text"] for row in rows} >= {"yes", "no"}
    assert all((shared_data / "radiographs" / "nih" / row["image"]).is_file() for row in rows)


def test_the_attribute_is_counted_beside_what_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_real, "find_burned_in", nothing)
    (tmp_path / "broken.dcm").write_bytes(b"nothing")
    told = attribute_figures(tmp_path, Detectors(everything))
    assert told["DICOM files"] == {
        "files": 1,
        "read": 0,
        "say": {"YES": 0, "NO": 0, "absent": 0},
        "found": {name: {"YES": 0, "NO": 0, "absent": 0} for name in NAMES},
    }
    samples = told["sample data"]
    assert samples["files"] == samples["read"] == sum(samples["say"].values())
    assert samples["found"][LEARNT] == samples["say"]
    assert attribute_figures(None, Detectors(nothing))["sample data"]["found"][LEARNT]["NO"] == 0


def test_the_command_prints_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["text", "--work", str(tmp_path), "--films", "1", "--size", "160", "--seed", "3"]
    monkeypatch.setattr(sys, "argv", words)
    monkeypatch.setattr(text, "attribute_figures", lambda *_: {"files": 0})
    text.main()
    told = json.loads(capsys.readouterr().out)
    assert (told["plan"]["films"], told["plan"]["seed"], told["attribute"]) == (1, 3, {"files": 0})


def test_a_plan_without_films_is_a_wrong_call() -> None:
    with pytest.raises(UsageError):
        TextPlan(films=0)
