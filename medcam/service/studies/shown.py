"""A study as a page shows it: its films, what a model said of each, and everything that a viewer draws."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Protocol

import cv2
import numpy as np

from medcam.core.arrays import BoolArray, ByteArray
from medcam.core.card import ModelCard
from medcam.core.display import DisplayWindow, VoiFunction
from medcam.core.errors import InputError
from medcam.core.explanation import Explanation
from medcam.core.finding import Point
from medcam.core.leading import leading_first
from medcam.core.radiograph import PixelSpacing
from medcam.core.remembered import Remembered
from medcam.core.study import Study
from medcam.core.zones import BODY_ZONES
from medcam.models.card_json import card_from_json
from medcam.overlay.colour import positive_colours, signed_colours
from medcam.service.explanations.explanation_json import explanation_from_dict
from medcam.service.studies.opened import OpenedStore
from medcam.service.studies.voi_table import unpack_table
from medcam.service.studies.zone_image import unpack_zones
from medcam.store import KeptExplanation, KeptModel, KeptRadiograph

Polygon = tuple[Point, ...]
Said = KeptExplanation
"""What one model said of one film, still packed."""
KeptFilm = KeptRadiograph
"""A film as the store has it."""
_EXPLANATIONS: Remembered[Explanation] = Remembered(48)
"""Those that were shown last, by the digest of their text."""


@dataclass(frozen=True, eq=False)
class ShownFilm:
    """A film and what models said of it.

    Args:
        film: The film.
        explanations: What models said, still packed: the leading one first (`medcam.core.leading`) or the one that
            was chosen, then the newest.
    """

    film: KeptRadiograph = field(repr=False)
    explanations: tuple[KeptExplanation, ...] = field(repr=False)

    def led_by(self, explanation_id: str) -> ShownFilm:
        """The same film with one of its explanations as the leading one; itself where there is none of that id."""
        ordered = sorted(self.explanations, key=lambda one: one.id != explanation_id)
        return replace(self, explanations=tuple(ordered))

    @property
    def window(self) -> DisplayWindow:
        """How the film is shown at first."""
        return window_of(self.film.display["window"])

    @property
    def spacing(self) -> PixelSpacing | None:
        """mm between pixels, None when unknown."""
        spacing = self.film.display["spacing"]
        return None if spacing is None else PixelSpacing(spacing["row"], spacing["column"], spacing["at_patient"])

    @property
    def orientation(self) -> tuple[str, ...]:
        """Patient Orientation; empty when unknown."""
        return tuple(self.film.display["orientation"])


@dataclass(frozen=True, eq=False)
class ShownStudy:
    """A study as a page shows it.

    Args:
        study: The study.
        films: Its films, in the order in which they came.
        priors: Earlier studies of the same patient, the latest first.
    """

    study: Study = field(repr=False)
    films: tuple[ShownFilm, ...]
    priors: tuple[Study, ...]


def shown_study(opened: OpenedStore, study_id: str) -> ShownStudy:
    """A study with its films. Whether somebody may see it is asked elsewhere.

    Raises:
        InputError: There is no such study (code `no-such-study`).
        StoreError: The database cannot be used.
    """
    contents = opened.films.contents(study_id)
    if contents is None:
        raise InputError(
            "there is no such study", code="no-such-study", next_step="The page `Worklist` shows the ids of studies."
        )
    films = tuple(ShownFilm(film, leading_first(explanations)) for film, explanations in contents.films)
    return ShownStudy(contents.study, films, contents.priors)


def explanation_of(said: Said) -> Explanation:
    """What was said, unpacked; raises InputError where it is damaged."""
    try:
        # By the digest: what is remembered holds the explanation alone, and not its text too.
        known = _EXPLANATIONS.get(said.sha256)
        if known is not None:
            return known
        data = json.loads(said.content)
    except (zlib.error, ValueError, RecursionError) as error:
        raise InputError(
            "an explanation in the store is damaged",
            code="not-an-explanation",
            next_step="`medcam audit verify` names every damaged one; restore the store from a backup.",
        ) from error
    explanation = explanation_from_dict(data)
    _EXPLANATIONS.keep(said.sha256, explanation)
    return explanation


@lru_cache(maxsize=64)
def card_from_text(text: str) -> ModelCard:
    """The card of a kept text; raises ModelError where it is damaged."""
    return card_from_json(text)


class HoldsModels(Protocol):
    """Whoever has the cards of models."""

    def model(self, card_sha256: str) -> KeptModel | None:
        """The model of a card's digest; None where it is not there."""
        ...


class HoldsPixels(Protocol):
    """Whoever has the pixels of films."""

    def has_pixels(self, sha256: str) -> bool:
        """Whether packed pixels of a film are there."""
        ...


class ShownFrom(Protocol):
    """Where a film that is shown comes from: a store, or a submission that is in none."""

    @property
    def films(self) -> HoldsModels:
        """Its models."""
        ...

    @property
    def files(self) -> HoldsPixels:
        """Its pixels."""
        ...


def card_of(opened: ShownFrom, explanation: KeptExplanation) -> ModelCard:
    """The card of the model as it was when it spoke.

    Raises:
        InputError: The store has lost it (code `no-such-model-card`).
    """
    model = opened.films.model(explanation.card_sha256)
    if model is None:
        raise InputError(
            "the card of this model is not in the store",
            code="no-such-model-card",
            next_step="Restore the store from a backup.",
        )
    return card_from_text(model.card)


@lru_cache(maxsize=48)
def zone_outlines(packed: bytes, rows: int, columns: int) -> Mapping[str, tuple[Polygon, ...]]:
    """Outlines of the zones inside the body.

    Args:
        packed: From `pack_zones`.
        rows: Rows of the film.
        columns: Columns of the film.

    Returns:
        Polygons in source pixels by the zone's name, zones without an area left out.

    Raises:
        InputError: The data are damaged.
    """
    zones = unpack_zones(packed)
    outlines = {name: _outlines(zones.masks[name], rows, columns) for name in BODY_ZONES}
    return {name: polygons for name, polygons in outlines.items() if polygons}


def _outlines(mask: BoolArray, rows: int, columns: int) -> tuple[Polygon, ...]:
    height, width = mask.shape
    # Four times as fine, so that an outline runs along the edges of cells and not through their centres.
    fine = mask.astype(np.uint8).repeat(4, axis=0).repeat(4, axis=1)
    found, _ = cv2.findContours(fine, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_TC89_L1)
    across, down = columns / (4.0 * width), rows / (4.0 * height)
    return tuple(
        tuple(Point((float(x) + 0.5) * across, (float(y) + 0.5) * down) for x, y in contour[:, 0, :])
        for contour in found
        if len(contour) >= 3
    )


def window_of(record: Mapping[str, object]) -> DisplayWindow:
    """The display window of a film's record."""
    table = record["table"]
    return DisplayWindow(
        function=VoiFunction(str(record["function"])),
        center=_number(record["center"]),
        width=_number(record["width"]),
        table=None if table is None else unpack_table(str(table)),
        first_mapped=_number(record["first_mapped"]),
        mirror=None if record["mirror"] is None else _number(record["mirror"]),
        source=str(record["source"]),
    )


def _number(value: object) -> float:
    assert isinstance(value, int | float)
    return float(value)


def colour_tables() -> dict[str, ByteArray]:
    """Colour scales of evidence: "positive" from none to full scale, "signed" from against to for; uint8 [256, 3]."""
    return {"positive": positive_colours(), "signed": signed_colours()}
