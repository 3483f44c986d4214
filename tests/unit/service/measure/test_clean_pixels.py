"""Burned-in lines lie where they are said to lie, and figures about them are what the masks say."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from medcam.core.errors import UsageError
from medcam.service.measure import clean_pixels
from medcam.service.measure.burned_lines import FONTS, Print, burn_at_random, burn_line, random_print
from medcam.service.measure.clean_pixels import judged, measure_clean_pixels, summary


@pytest.mark.parametrize("font", FONTS)
@pytest.mark.parametrize(("bright", "boxed"), [(True, False), (False, False), (True, True), (False, True)])
def test_ink_lies_within_its_place_and_nothing_else_changes(font: str, bright: bool, boxed: bool) -> None:
    film = np.full((120, 400), 0.25, np.float32)
    line = burn_line(film, Print("DOE 1950", font, 14, bright, boxed), 40, 50)
    assert (film[line.ink] >= 0.5).all() if bright else (film[line.ink] <= 0.5).all()
    assert line.ink[line.place].sum() == line.ink.sum() > 50
    away = np.ones(film.shape, bool)
    away[line.place] = False
    assert (film[away] == 0.25).all()
    assert line.contrast == (1.0 if boxed else 0.75 if bright else 0.25)
    rows = np.flatnonzero(line.ink.any(axis=1))
    assert rows[0] == pytest.approx(40, abs=1)
    assert 8 <= rows[-1] - rows[0] <= 24


def test_random_lines_do_not_overlap_and_come_again_with_their_seed() -> None:
    def made() -> tuple[np.ndarray, list]:
        film, random = np.full((512, 512), 0.5, np.float32), np.random.default_rng(5)
        return film, burn_at_random(film, [random_print(random, 512) for _ in range(12)], random)

    film, lines = made()
    again, _ = made()
    assert np.array_equal(film, again)
    assert len({line.style.font for line in lines}) > 2
    assert {line.style.bright for line in lines} == {line.style.boxed for line in lines} == {True, False}
    assert sum(line.ink.astype(int) for line in lines).max() == 1


def test_what_was_found_is_counted_pixel_by_pixel() -> None:
    film = np.full((100, 300), 0.5, np.float32)
    first, second = (burn_line(film, Print("HELP", height=12), top, 20) for top in (10, 60))
    found = np.zeros(film.shape, bool)
    found[first.place] = True
    found[:, 290:] = True
    result = judged(found, [first, second], 0.0)
    assert [recall for _, recall in result.lines] == [1.0, 0.0]
    assert result.recall == pytest.approx(first.ink.sum() / (first.ink.sum() + second.ink.sum()))
    assert result.outside == pytest.approx(10 / 300)
    told = summary([result, judged(np.ones(film.shape, bool), [first, second], 0.25)])
    assert told["with text"]["films with every character covered"]["value"] == 0.5
    assert told["with text"]["films with every character covered"]["n"] == 2
    assert told["without text"]["share of the film covered"]["value"] == 0.125
    assert told["without text"]["films left alone"]["value"] == 0.5
    assert told["lines"]["all"]["every character covered"]["value"] == 0.75
    assert told["lines"]["dark, no box"] == {"n": 0}


def test_the_command_prints_figures_with_n_and_interval(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["clean_pixels", "--count", "2", "--seed", "3", "--size", "192"])
    clean_pixels.main()
    told = json.loads(capsys.readouterr().out)
    assert (told["count"], told["seed"], told["size"]) == (2, 3, 192)
    recall = told["with text"]["recall of the characters' area"]
    assert recall["n"] == 2
    assert 0 <= recall["low"] <= recall["value"] <= recall["high"] <= 1


def test_no_phantom_is_a_wrong_call() -> None:
    with pytest.raises(UsageError):
        measure_clean_pixels(0, 1)
