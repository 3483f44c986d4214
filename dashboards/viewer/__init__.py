"""The film viewer: sixteen bits in the browser, maps over the film, and a region that a reader corrects.

    answer = show_viewer(film, findings, colours=..., scale=..., key="viewer")
    if answer.region: ...

Looking sends nothing: window, zoom, maps and tools work in the browser alone. Only a confirmed region makes the page
run again, and brings the display state with it. The pixels come from `ViewerFilm.url` as `medcam.overlay.film16` packs
them; the page that uses the viewer serves them and decides who may have them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from medcam.core.errors import InvalidValueError
from viewer.answer import parse_answer
from viewer.data import (
    OpacityMode,
    RegionKind,
    Renderer,
    ShownWindow,
    ViewerAnswer,
    ViewerColours,
    ViewerDisplay,
    ViewerFilm,
    ViewerFinding,
    ViewerFrame,
    ViewerLayout,
    ViewerRegion,
    ViewerZone,
)
from viewer.payload import Offer, display_json, frame_json, offer, offered, written
from viewer.texts import ENGLISH

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

__all__ = [
    "ENGLISH",
    "OpacityMode",
    "RegionKind",
    "Renderer",
    "ShownWindow",
    "ViewerAnswer",
    "ViewerColours",
    "ViewerDisplay",
    "ViewerFilm",
    "ViewerFinding",
    "ViewerFrame",
    "ViewerLayout",
    "ViewerRegion",
    "ViewerZone",
    "offered",
    "show_viewer",
]

SCRIPTS = (
    "geometry",
    "window",
    "film",
    "evidence",
    "shading",
    "canvas_renderer",
    "gl_renderer",
    "dom",
    "region",
    "marks",
    "keys",
    "help",
    "pointer",
    "actions",
    "toolbar",
    "panel",
    "source",
    "link",
    "viewer",
    "frame",
    "main",
)
"""The files of js/, in the order in which they are joined into one module: the last one exports."""
_FOLDER = Path(__file__).parent
_HELD = "viewer-content"
_SHOWN_LAST = 3
"""Viewers whose content a reader's session holds: a page has two at the most, and the page before may still fetch."""


@cache
def script() -> str:
    """The viewer's JavaScript, one module."""
    return "\n".join((_FOLDER / "js" / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)


@cache
def _component() -> ComponentRenderer:
    style = (_FOLDER / "viewer.css").read_text(encoding="utf-8")
    return st.components.v2.component("medcam_viewer", css=style, js=script())


def show_viewer(
    film: ViewerFilm,
    findings: Sequence[ViewerFinding] = (),
    *,
    colours: Sequence[ViewerColours] = (),
    scale: float = 1.0,
    zones: Sequence[ViewerZone] = (),
    zone_scale: float | None = None,
    display: ViewerDisplay | None = None,
    texts: Mapping[str, str] | None = None,
    renderer: Renderer = Renderer.AUTO,
    frame: ViewerFrame | None = None,
    maps_at: str = "",
    key: str,
) -> ViewerAnswer:
    """Shows a film, and the maps of its findings over it.

    Args:
        film: The film.
        findings: In the order in which they are listed; none for the film alone.
        colours: Colour maps to choose from, the first is shown; needed where there are findings.
        scale: Logit units per cell at full colour: one number for the whole model, so that films can be compared.
        zones: Where the zones lie that the findings name; none where unknown.
        zone_scale: Logit units per zone at full colour; None for the largest value on this film, which the viewer says.
        display: The state to start in. The reader's own state is kept until another film or another `display` comes.
        texts: The words of another language by the keys of `ENGLISH`; English stands where one is missing.
        renderer: What draws.
        frame: How the viewer stands on its page.
        maps_at: Place on the page's own server from which the browser fetches maps, once for each film: the page that
            uses the viewer serves there what `offered` gives, and decides who may have it. Empty where the page
            brings them itself, at each of its runs.
        key: Of the component, one for each viewer on a page. Another key is another viewer.

    Objects that are given again are neither checked nor written anew: who keeps them from run to run makes a run short.

    Returns:
        What the reader confirmed since the last run.

    Raises:
        InvalidValueError: Findings without colours, a scale that is not positive, or a message from the browser that
            the viewer does not send.
    """
    if findings and not colours:
        raise InvalidValueError("findings need a colour map")
    if not (scale > 0.0 and (zone_scale is None or zone_scale > 0.0)):
        raise InvalidValueError("a colour scale needs a positive end")
    content = written(film, tuple(findings), tuple(colours), tuple(zones), float(scale), zone_scale)
    fetched = bool(maps_at and findings)
    data = {
        "content": None if fetched else content.data.decode("ascii"),
        "address": _held(offer(content, maps_at)) if fetched else None,
        "display": display_json(display or ViewerDisplay(), findings),
        "texts": {**ENGLISH, **(texts or {})},
        "renderer": Renderer(renderer).value,
        "frame": frame_json(frame or ViewerFrame()),
    }
    result = _component()(key=key, data=data, height="content", on_region_change=lambda: None)
    return parse_answer(result.region, film, {finding.name for finding in findings})


def _held(offered: Offer) -> str:
    """The address of content that the reader's session now holds, so that it is there whenever the browser asks."""
    held: deque[Offer] = st.session_state.setdefault(_HELD, deque(maxlen=_SHOWN_LAST))
    if not any(one.content is offered.content for one in held):
        held.append(offered)
    return offered.address
