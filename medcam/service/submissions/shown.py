"""A submission as a page shows it: like a study, though no store has it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

from medcam.service.explanations.explanation_json import explanation_from_dict
from medcam.service.studies.shown import ShownFilm
from medcam.service.submissions.held_films import HeldFilms, kept_model, said_of
from medcam.store import KeptModel


@dataclass(frozen=True, eq=False)
class ShownSubmission:
    """What was handed in and explained; stands where pages take a store.

    Args:
        shown: Its films, in a stable order.
        kept: The model that spoke.
        held: Where the films lie.
    """

    shown: tuple[ShownFilm, ...]
    kept: KeptModel
    held: HeldFilms

    @property
    def films(self) -> Self:
        """Where models are asked for."""
        return self

    @property
    def files(self) -> HeldFilms:
        """Where pixels are asked for."""
        return self.held

    def model(self, card_sha256: str) -> KeptModel | None:
        """The model that spoke, by the digest of its card."""
        return self.kept if self.kept.card_sha256 == card_sha256 else None


def shown_submission(held: HeldFilms, study_id: str, clock: Callable[[], float]) -> ShownSubmission:
    """The films of a submission as pages show them.

    Args:
        held: The films.
        study_id: What addresses name in place of a study.
        clock: Seconds since 1970 UTC.

    Raises:
        InputError: It was let go of, or is damaged.
    """
    card = held.card()
    shown = []
    for one in held.all():
        explanation = explanation_from_dict(one.explanation)
        said = said_of(one, explanation, card, clock())
        shown.append(ShownFilm(replace(one.film, study_id=study_id), (said,)))
    return ShownSubmission(tuple(shown), kept_model(card), held)
