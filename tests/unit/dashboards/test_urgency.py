"""The order of the worklist, its choices and its pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from results import FilmFile, FilmSummary
from urgency import PAGE_SIZE, Shown, by_urgency, chosen, counts, neighbour, page_number, page_of


def summary(number, **values):
    study, instance = f"{number:016x}", f"{number:016x}"
    return FilmSummary(FilmFile(study, instance, Path(study, instance), 0, 0), **values)


SURE = summary(1, present=("Pneumothorax", "Pleural_Effusion"), probability=0.99, margin=4.0)
LIKELY = summary(2, present=("Nodule",), probability=0.6, margin=0.5, flagged=True)
WITHHELD = summary(3, flagged=True)
DAMAGED = summary(4, problem="explanation.json is damaged")
NEARLY = summary(5, probability=0.4, margin=-0.2)
CLEAR = summary(6, probability=0.01, margin=-5.0)
ORDER = (SURE, LIKELY, WITHHELD, DAMAGED, NEARLY, CLEAR)


def test_found_then_unknown_then_clear():
    assert by_urgency(tuple(reversed(ORDER))) == ORDER


def test_equal_films_keep_the_order_of_their_names():
    films = [summary(number, probability=0.4, margin=-0.2) for number in (9, 8, 7)]

    assert by_urgency(films) == tuple(reversed(films))


def test_a_film_at_its_threshold_is_not_taken_for_unknown():
    at_threshold = summary(9, probability=0.5, margin=0.0)

    assert by_urgency((at_threshold, WITHHELD, NEARLY)) == (WITHHELD, at_threshold, NEARLY)


def test_each_choice_is_counted_and_empty_choices_are_left_out():
    assert counts(ORDER) == {
        Shown.ALL: 6,
        Shown.PRESENT: 2,
        Shown.ABSENT: 2,
        Shown.FLAGGED: 2,
        Shown.UNREADABLE: 1,
    }
    assert counts((CLEAR,)) == {Shown.ALL: 1, Shown.ABSENT: 1}
    assert counts(()) == {Shown.ALL: 0}


@pytest.mark.parametrize(
    ("shown", "text", "films"),
    [
        (Shown.ALL, "", ORDER),
        (Shown.PRESENT, "  ", (SURE, LIKELY)),
        (Shown.ABSENT, "", (NEARLY, CLEAR)),
        (Shown.FLAGGED, "", (LIKELY, WITHHELD)),
        (Shown.UNREADABLE, "", (DAMAGED,)),
        (Shown.ALL, "PNEUMO", (SURE,)),
        (Shown.ALL, "pleural effusion", (SURE,)),
        (Shown.ALL, "pleural-effusion", (SURE,)),
        (Shown.ALL, f"{3:016x}", (WITHHELD,)),
        (Shown.ALL, f"{3:016x}/{3:016x}", (WITHHELD,)),
        (Shown.ABSENT, "nodule", ()),
        (Shown.ALL, "(", ()),
    ],
)
def test_films_are_chosen_by_kind_and_text(shown, text, films):
    assert chosen(ORDER, shown, text) == films


def test_two_thousand_films_fall_into_pages_without_loss():
    films = tuple(summary(number) for number in range(2000))
    pages = [page_of(films, number) for number in range(1, page_of(films, 1).count + 1)]

    assert pages[0].count == 80
    assert all(len(page.films) <= PAGE_SIZE for page in pages)
    assert tuple(film for page in pages for film in page.films) == films
    assert all(page_number(films, film.file.film_id) == page.number for page in pages for film in page.films)


@pytest.mark.parametrize(("asked", "given"), [(-3, 1), (0, 1), (1, 1), (2, 2), (3, 2), (99, 2)])
def test_a_page_past_the_ends_is_the_page_at_the_end(asked, given):
    assert page_of(tuple(summary(number) for number in range(PAGE_SIZE + 1)), asked).number == given


def test_an_empty_list_has_one_empty_page():
    page = page_of((), 1)

    assert (page.films, page.number, page.count) == ((), 1, 1)
    assert page_number((), SURE.file.film_id) is None


def test_neighbours():
    ids = [film.file.film_id for film in ORDER]

    assert neighbour(ORDER, ids[0], +1) == ids[1]
    assert neighbour(ORDER, ids[0], -1) is None
    assert neighbour(ORDER, ids[-1], +1) is None
    assert neighbour(ORDER, "hidden by the choice", +1) == ids[0]
    assert neighbour((), ids[0], +1) is None
