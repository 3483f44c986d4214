"""The page: one viewer, what it answered, and how often the page has run."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import streamlit as st

from medcam.overlay.colour import positive_colours, signed_colours
from tests.integration.viewer_app.films import TestFilm, film, lung_zones, map_values, packed, regions
from viewer import (
    Renderer,
    ViewerAnswer,
    ViewerColours,
    ViewerDisplay,
    ViewerFilm,
    ViewerFinding,
    ViewerFrame,
    ViewerLayout,
    ViewerZone,
    show_viewer,
)

NAMES = ("Lung opacity", "Pleural effusion", "Cardiomegaly", "Pneumothorax")
PROBABILITIES = (0.87, 0.31, 0.12, 0.64)
SCALE = 8.0
COLOURS = (
    ViewerColours("positive", "For", positive_colours()),
    ViewerColours("signed", "For and against", signed_colours(), signed=True),
)


def finding(number: int, shown: TestFilm) -> ViewerFinding:
    values = map_values(number + 1)
    evidence = np.random.default_rng(number).uniform(-0.7, 0.9, 6)
    zones = dict(zip(lung_zones(1, 1), map(float, evidence), strict=True))
    return ViewerFinding(
        name=NAMES[number],
        label=NAMES[number],
        probability=PROBABILITIES[number],
        threshold=0.5,
        present=None if number == 3 else PROBABILITIES[number] >= 0.5,
        values=values,
        transform=shown.grid,
        ledger=shown.ledger,
        regions=regions(values, shown.grid),
        zones=zones if shown.ledger else None,
        map_threshold=1.0,
        scale=2.5 * SCALE if number == 1 else None,
    )


def viewer(name: str) -> ViewerAnswer:
    asked = st.query_params
    shown, data = film(name), packed(name)
    return show_viewer(
        ViewerFilm(
            f"/films/{name}?copy={asked.get('copy', '')}",
            data.rows,
            data.columns,
            data.slope,
            data.intercept,
            shown.window,
            shown.spacing,
            orientation=shown.orientation,
            title=name,
        ),
        [finding(number, shown) for number in range(int(asked.get("findings", 4)))],
        colours=COLOURS,
        scale=SCALE,
        zones=[
            ViewerZone(zone, zone.replace("-lung", "").replace("-", " "), polygons)
            for zone, polygons in lung_zones(data.rows, data.columns).items()
        ],
        display=ViewerDisplay(overlay="overlay" in asked, contour="contour" in asked, boxes="boxes" in asked),
        renderer=Renderer(asked.get("renderer", "auto")),
        frame=ViewerFrame(
            height=int(asked.get("height", 700)),
            layout=ViewerLayout(asked.get("layout", "side")),
            link=asked.get("link", ""),
        ),
        key=f"viewer-{name}",
    )


def main() -> None:
    st.set_page_config(page_title="viewer", layout="wide")
    st.html("<style>.stMainBlockContainer { padding: 8px; } .stAppHeader { display: none; }</style>")
    st.session_state["runs"] = st.session_state.get("runs", 0) + 1
    for name in st.query_params.get("film", "linear").split(","):
        region = viewer(name).region
        if region is not None:
            st.session_state["region"] = asdict(region)
    st.html(f'<pre id="answer">{json.dumps(st.session_state.get("region"))}</pre>')
    st.html(f'<span id="runs">{st.session_state["runs"]}</span>')
    st.button("Run again")


main()
