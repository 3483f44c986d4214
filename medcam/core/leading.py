"""Which of the explanations of a film stands for it where one alone is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar


class SaidOfFilm(Protocol):
    """What one model said of a film."""

    @property
    def model(self) -> str:
        """Name of the model."""
        ...

    @property
    def flagged(self) -> bool:
        """Whether the film is out of its distribution."""
        ...


SaidT = TypeVar("SaidT", bound=SaidOfFilm)


def leading_first(newest_first: Sequence[SaidT]) -> tuple[SaidT, ...]:
    """The explanations of a film, the one that stands for it first, the others as they were.

    Of each model its newest counts. The newest that is not out of its model's distribution leads, since a model that
    withholds its answers must not hide those of one that knows such films; where all are, the newest does.

    Args:
        newest_first: All explanations of the film.
    """
    of_each: dict[str, SaidT] = {}
    for one in newest_first:
        of_each.setdefault(one.model, one)
    leading = next((one for one in of_each.values() if not one.flagged), None)
    if leading is None:
        return tuple(newest_first)
    return (leading, *(one for one in newest_first if one is not leading))
