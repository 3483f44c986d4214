"""The shipped detector of print on phantoms that it has not seen."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from medcam.core.arrays import FloatArray
from medcam.core.errors import InvalidValueError, ModelError
from medcam.models.files import WEIGHTS
from medcam.models.known import SHIPPED
from medcam.models.registry import load_model
from medcam.service.find_text import FINDING, TextFinder
from medcam.service.measure.burned_lines import Print, burn_line
from medcam.service.training.text_pictures import clean_phantom

SEED = 9090
"""Of phantoms that nothing was trained or measured on."""
SIDE = 512
NEAR = 40
"""Pixels around print that its box may take along: ten cells of the map."""


@pytest.fixture(scope="module")
def finder() -> TextFinder:
    return TextFinder.load()


@pytest.fixture(scope="module")
def clean() -> FloatArray:
    return clean_phantom(SEED, 0, SIDE)


def test_print_is_found_on_an_unseen_phantom_and_nothing_on_its_clean_twin(
    finder: TextFinder, clean: FloatArray
) -> None:
    film = clean.copy()
    lines = [
        burn_line(film, Print("DOE^JANE 04.05.1961", "simplex", 14, stroke=2), 40, 60),
        burn_line(film, Print("AB 9034411", height=16, bright=False, boxed=True), 400, 250),
    ]
    assert finder.boxes(clean) == ()
    assert not finder(clean).any()
    found = finder(film)
    for line in lines:
        assert found[line.ink].mean() > 0.9
    away = found.copy()
    for line in lines:
        rows, columns = line.place
        away[max(0, rows.start - NEAR) : rows.stop + NEAR, max(0, columns.start - NEAR) : columns.stop + NEAR] = False
    assert not away.any()
    boxes = finder.boxes(film)
    assert 2 <= len(boxes) <= 6
    assert [each.strength for each in boxes] == sorted((each.strength for each in boxes), reverse=True)
    assert min(each.strength for each in boxes) >= 1


def test_unit_and_polarity_of_print_do_not_matter(finder: TextFinder, clean: FloatArray) -> None:
    film = clean.copy()
    line = burn_line(film, Print("PORTABLE", height=18), 60, 180)
    scaled = 4095 * film - 1024
    assert np.array_equal(finder(film), finder(scaled))
    dark = clean.copy()
    burn_line(dark, Print("PORTABLE", height=18, bright=False), 60, 180)
    assert finder(dark)[line.ink].mean() > 0.9


def test_boxes_lie_in_the_pixels_of_a_film_of_any_shape(finder: TextFinder, clean: FloatArray) -> None:
    tall = np.concatenate([clean, clean[::-1]])[:900, :500]
    line = burn_line(tall, Print("DOE^JANE 1961", height=18), 700, 100)
    found = finder(tall)
    assert found.shape == (900, 500)
    assert found[line.ink].mean() > 0.9
    for each in finder.boxes(tall):
        left, top, right, bottom = each.box.corners
        assert 0 <= left < right <= 500
        assert 0 <= top < bottom <= 900


def test_padding_counts_for_nothing_but_the_print_in_it(finder: TextFinder, clean: FloatArray) -> None:
    film = clean.copy()
    line = burn_line(film, Print("DOE^JANE 1961", height=18), 100, 150)
    padding = np.zeros(film.shape, dtype=np.bool_)
    padding[:, :40] = True
    film[:, :40] = -30.0
    assert finder(film, padding)[line.ink].mean() > 0.9
    with pytest.raises(InvalidValueError):
        finder(film, padding[:10])


def test_threads_find_the_same(finder: TextFinder, clean: FloatArray) -> None:
    film = clean.copy()
    burn_line(film, Print("DOE^JANE 1961", height=18), 100, 150)
    alone = finder(film)
    with ThreadPoolExecutor(3) as pool:
        assert all(np.array_equal(alone, each) for each in pool.map(finder, [film] * 4))


def test_a_film_of_one_value_has_no_print(finder: TextFinder) -> None:
    assert finder.boxes(np.full((300, 200), 7.0)) == ()


def test_another_model_is_no_detector_of_print(tiny_model_folder: Path) -> None:
    with pytest.raises(ModelError) as caught:
        TextFinder.load(tiny_model_folder)
    assert caught.value.code == "not-a-text-model"


def test_the_weights_are_small_and_the_card_says_what_they_are_for(finder: TextFinder) -> None:
    assert (SHIPPED / "text" / WEIGHTS).stat().st_size < 1 << 20
    card = load_model("text").card
    assert card.finding_names == (FINDING,)
    assert "deidentify" in card.intended_use
    assert card.training_command.startswith("medcam train --data text --name text")
    assert finder.digest == card.weights_sha256
