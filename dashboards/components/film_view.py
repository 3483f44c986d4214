"""The film in the viewer, with the maps of its findings unless they are hidden."""

from __future__ import annotations

import streamlit as st

from medcam.core.card import FindingCard
from medcam.core.errors import MedcamError
from medcam.core.finding import Finding
from medcam.core.threshold import region_threshold
from medcam.service.studies.opened import OpenedStore
from medcam.service.studies.shown import (
    ShownFilm,
    ShownStudy,
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
    ViewerRegion,
    ViewerZone,
    show_viewer,
)
from words import finding_name, say

HEIGHT = 760


def draw(
    opened: OpenedStore, shown: ShownStudy, film: ShownFilm, *, finding: str, blind: bool, key: str = "viewer"
) -> ViewerRegion | None:
    """Draws a film.

    Args:
        opened: The store.
        shown: The film's study.
        film: The film.
        finding: The finding whose map is shown; empty for the first.
        blind: Whether what the model says is hidden.
        key: Of the viewer.

    Returns:
        A region that the reader has just confirmed.
    """
    if not opened.files.has_pixels(film.film.sha256):
        st.error(say("review.pixels-gone"))
        return None
    findings, scale, zones = ([], 1.0, []) if blind else _said(opened, film)
    display = ViewerDisplay(finding=finding, overlay=not blind)
    answer = show_viewer(
        _viewer_film(shown, film),
        findings,
        colours=_colours() if findings else (),
        scale=scale,
        zones=zones,
        display=display,
        height=HEIGHT,
        key=f"{key}-{film.film.id}-{'blind' if blind else 'aided'}",
    )
    return answer.region


def _viewer_film(shown: ShownStudy, film: ShownFilm) -> ViewerFilm:
    record = film.film.display
    return ViewerFilm(
        url=f"/films/{shown.study.id}/{film.film.sha256}",
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


def _said(opened: OpenedStore, film: ShownFilm) -> tuple[list[ViewerFinding], float, list[ViewerZone]]:
    """Findings of the newest explanation, the colour scale of its model, and where the zones lie."""
    if not film.explanations:
        return [], 1.0, []
    explanation = explanation_of(film.explanations[0].content)
    cards = {card.name: card for card in card_of(opened, film.explanations[0]).findings}
    findings = [_finding(one, cards.get(one.name)) for one in explanation.findings]
    scale = max((card.map_scale for card in cards.values()), default=1.0)
    return findings, scale, _zones(film, findings)


def _finding(found: Finding, card: FindingCard | None) -> ViewerFinding:
    highest = float(found.map.values.max())
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
        map_threshold=region_threshold(card.region_rule, highest) if card else 0.0,
        scale=card.map_scale if card else None,
    )


def _zones(film: ShownFilm, findings: list[ViewerFinding]) -> list[ViewerZone]:
    packed, record = film.film.zones, film.film.display
    if packed is None or not any(finding.zones for finding in findings):
        return []
    try:
        outlines = zone_outlines(packed, record["rows"], record["columns"])
    except MedcamError:
        return []
    return [ViewerZone(name, finding_name(name), polygons) for name, polygons in outlines.items()]


def _colours() -> tuple[ViewerColours, ...]:
    tables = colour_tables()
    return (
        ViewerColours("positive", "+", tables["positive"]),
        ViewerColours("signed", "±", tables["signed"], signed=True),
    )
