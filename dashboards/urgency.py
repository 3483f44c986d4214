"""Which films come first in the worklist, and which are shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from results import FilmSummary

PAGE_SIZE = 25


class Shown(StrEnum):
    """Which films of a run the worklist shows."""

    ALL = "All films"
    PRESENT = "With findings"
    ABSENT = "Without findings"
    FLAGGED = "Out of distribution"
    UNREADABLE = "Unreadable"

    def holds(self, film: FilmSummary) -> bool:
        """Whether a film is among them."""
        return {
            Shown.ALL: True,
            Shown.PRESENT: bool(film.present),
            Shown.ABSENT: film.answered and not film.present,
            Shown.FLAGGED: film.flagged,
            Shown.UNREADABLE: bool(film.problem),
        }[self]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a worklist.

    Args:
        films: The films on it.
        number: Which page, from 1.
        count: How many pages there are, at least 1.
    """

    films: tuple[FilmSummary, ...]
    number: int
    count: int


def by_urgency(films: Sequence[FilmSummary]) -> tuple[FilmSummary, ...]:
    """Puts the films in the order in which they should be read.

    First the films with a finding, the one furthest over its threshold first. Then those of which the model says
    nothing (withheld or unreadable): nobody knows yet what they show. Last the films without a finding, the nearest
    miss first.
    """
    return tuple(sorted(films, key=_rank))


def counts(films: Sequence[FilmSummary]) -> dict[Shown, int]:
    """How many films each choice shows; choices that show none are left out, except "All films"."""
    numbers = {shown: sum(map(shown.holds, films)) for shown in Shown}
    return {shown: number for shown, number in numbers.items() if number or shown is Shown.ALL}


def chosen(films: Sequence[FilmSummary], shown: Shown, text: str = "") -> tuple[FilmSummary, ...]:
    """Keeps the films of one choice whose id, or the name of a finding that is present, contains a text."""
    wanted = _plain(text)
    return tuple(film for film in films if shown.holds(film) and wanted in _searched(film))


def page_of(films: Sequence[FilmSummary], number: int) -> Page:
    """Cuts out one page; a number past either end gives the page at that end."""
    count = max(1, -(-len(films) // PAGE_SIZE))
    number = min(max(number, 1), count)
    return Page(tuple(films[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]), number, count)


def page_number(films: Sequence[FilmSummary], film_id: str) -> int | None:
    """The page on which a film stands, None when it is not among them."""
    for position, film in enumerate(films):
        if film.file.film_id == film_id:
            return position // PAGE_SIZE + 1
    return None


def neighbour(films: Sequence[FilmSummary], film_id: str, step: int) -> str | None:
    """The id of the film `step` places further on, None past either end; from outside the list, its first film."""
    ids = [film.file.film_id for film in films]
    if film_id not in ids:
        return ids[0] if ids else None
    place = ids.index(film_id) + step
    return ids[place] if 0 <= place < len(ids) else None


def _rank(film: FilmSummary) -> tuple[int, float, str]:
    group = 0 if film.present else 2 if film.answered else 1
    return group, -(film.margin or 0.0), film.file.film_id


def _searched(film: FilmSummary) -> str:
    return _plain("\n".join((film.file.film_id, *film.present)))


def _plain(text: str) -> str:
    """A text without case, hyphens and underscores: what the page shows as "Pleural effusion" is found by that."""
    return re.sub(r"[-_]+", " ", text).strip().lower()
