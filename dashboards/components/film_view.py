"""The film in the viewer, with the maps of its findings unless they are hidden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import streamlit as st

from catalogue.viewer_korean import VIEWER_KOREAN
from medcam.core.card import FindingCard, ModelCard
from medcam.core.errors import MedcamError
from medcam.core.finding import Finding
from medcam.core.remembered import Remembered
from medcam.core.threshold import region_threshold
from medcam.service.studies.shown import (
    Said,
    ShownFilm,
    ShownFrom,
    card_of,
    colour_tables,
    explanation_of,
    zone_outlines,
)
from viewer import (
    ViewerColours,
    ViewerDisplay,
    ViewerFilm,
    ViewerFinding,
    ViewerFrame,
    ViewerLayout,
    ViewerRegion,
    ViewerZone,
    show_viewer,
)
from words import finding_name, language, say

HEIGHT = 760
ROOM = 240
"""CSS pixels of the window that the page needs above and below a film."""
MAPS = "/maps"
"""Beginning of the addresses from which the viewer fetches maps; the study's id and a digest follow."""
MISLEADING = "/misleading"
"""Address of the page on how a map can mislead."""
_TEXTS: Mapping[str, Mapping[str, str]] = {"ko": VIEWER_KOREAN}


def frame(*, paired: bool = False, drawing: bool = False, room: int = ROOM) -> ViewerFrame:
    """How a viewer stands on a page.

    Args:
        paired: Whether another stands beside it: both move together, and their controls are few.
        drawing: Whether a region may be drawn.
        room: CSS pixels of the window that the page needs above and below.
    """
    layout, link = (ViewerLayout.STRIP, "pair") if paired else (ViewerLayout.SIDE, "")
    return ViewerFrame(HEIGHT, room, layout, link, drawing, MISLEADING)


def labels(films: Sequence[ShownFilm]) -> dict[str, str]:
    """How a choice among films names them, by their ids.

    Words alone: Streamlit keeps what a choice is made with for as long as its reader's session, so that a function
    which knows the films would keep each that was ever shown in memory.
    """
    return {one.film.id: f"{place} / {len(films)} · {one.film.view}" for place, one in enumerate(films, 1)}


def draw(
    opened: ShownFrom, film: ShownFilm, said: Said | None, *, finding: str, framed: ViewerFrame, key: str = "viewer"
) -> ViewerRegion | None:
    """Draws a film.

    Args:
        opened: Where the film comes from.
        film: The film.
        said: What is shown of it that a model said; None for the film alone.
        finding: The finding whose map is shown; empty for the first.
        framed: How the viewer stands on the page, from `frame`.
        key: Of the viewer.

    Returns:
        A region that the reader has just confirmed.
    """
    if not opened.files.has_pixels(film.film.sha256):
        st.error(say("review.pixels-gone"))
        return None
    view = _view(film, said, None if said is None else card_of(opened, said))
    answer = show_viewer(
        view.film,
        view.findings,
        colours=_colours() if view.findings else (),
        scale=view.scale,
        zones=view.zones,
        display=ViewerDisplay(finding=finding, overlay=said is not None),
        texts=_TEXTS.get(language()),
        frame=framed,
        maps_at=f"{MAPS}/{film.film.study_id}",
        key=f"{key}-{film.film.id}-{said.id if said else 'film'}",
    )
    return answer.region


@dataclass(frozen=True, slots=True)
class _View:
    """What a viewer is given of a film; kept from run to run, since a page runs again at every step of its reader.

    Args:
        film: The film.
        findings: What a model said of it.
        zones: Where the anatomy lies.
        scale: Of the model's colours.
    """

    film: ViewerFilm
    findings: tuple[ViewerFinding, ...] = ()
    zones: tuple[ViewerZone, ...] = ()
    scale: float = 1.0


_VIEWS: Remembered[_View] = Remembered(48)


def _view(film: ShownFilm, said: Said | None, card: ModelCard | None) -> _View:
    kept = film.film
    # By names and digests: what is remembered then holds nothing of its film and its explanation but what is shown.
    key = (kept.study_id, kept.id, kept.sha256, kept.zones, said and said.sha256, said and said.card_sha256, language())
    known = _VIEWS.get(key)
    if known is None:
        known = _made_view(film, said, card)
        _VIEWS.keep(key, known)
    return known


def _made_view(film: ShownFilm, said: Said | None, card: ModelCard | None) -> _View:
    if said is None or card is None:
        return _View(_viewer_film(film))
    cards = {one.name: one for one in card.findings}
    findings = tuple(_finding(one, cards.get(one.name)) for one in explanation_of(said).findings)
    scale = max((one.map_scale for one in cards.values()), default=1.0)
    return _View(_viewer_film(film), findings, tuple(_zones(film, findings)), scale)


def _viewer_film(film: ShownFilm) -> ViewerFilm:
    record = film.film.display
    return ViewerFilm(
        url=f"/films/{film.film.study_id}/{film.film.sha256}",
        rows=record["rows"],
        columns=record["columns"],
        slope=record["slope"],
        intercept=record["intercept"],
        window=film.window,
        spacing=film.spacing,
        aspect=record["aspect"],
        orientation=film.orientation,
        title=film.film.id,
    )


def _finding(found: Finding, card: FindingCard | None) -> ViewerFinding:
    method, highest = found.map.method, float(found.map.values.max())
    scale = card.scale_for(method) if card else None
    return ViewerFinding(
        name=found.name,
        label=finding_name(found.name),
        probability=found.probability,
        threshold=found.threshold,
        present=found.present,
        values=found.map.values,
        transform=found.map.transform,
        ledger=found.map.ledger,
        regions=found.regions,
        zones=found.evidence.zones if found.evidence else None,
        map_threshold=region_threshold(card.rule_for(method), highest) if card else 0.0,
        scale=float(abs(found.map.values).max()) or 1.0 if scale is None else scale,
        film_scale=scale is None,
    )


def _zones(film: ShownFilm, findings: tuple[ViewerFinding, ...]) -> list[ViewerZone]:
    packed, record = film.film.zones, film.film.display
    if packed is None or not any(finding.zones for finding in findings):
        return []
    try:
        outlines = zone_outlines(packed, record["rows"], record["columns"])
    except MedcamError:
        return []
    return [ViewerZone(name, finding_name(name), polygons) for name, polygons in outlines.items()]


@cache
def _colours() -> tuple[ViewerColours, ...]:
    tables = colour_tables()
    return (
        ViewerColours("positive", "+", tables["positive"]),
        ViewerColours("signed", "±", tables["signed"], signed=True),
    )
