"""The page: one viewer, what it answered, and how often the page has run."""

from __future__ import annotations

import json
from dataclasses import asdict

import streamlit as st

from medcam.overlay.colour import positive_colours, signed_colours
from tests.integration.viewer_app.films import TestFilm, film, lung_zones, map_values, packed, regions
from viewer import ViewerColours, ViewerDisplay, ViewerFilm, ViewerFinding, ViewerZone, show_viewer

NAMES = ("Lung opacity", "Pleural effusion", "Cardiomegaly", "Pneumothorax")
PROBABILITIES = (0.87, 0.31, 0.12, 0.64)
SCALE = 8.0
COLOURS = (
    ViewerColours("positive", "For", positive_colours()),
    ViewerColours("signed", "For and against", signed_colours(), signed=True),
)


def finding(number: int, shown: TestFilm) -> ViewerFinding:
    values = map_values(number + 1)
    zones = {name: float(map_values(9, 6).flat[7 * number + i]) / 9 for i, name in enumerate(lung_zones(1, 1))}
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
    )


def main() -> None:
    st.set_page_config(page_title="viewer", layout="wide")
    st.html("<style>.stMainBlockContainer { padding: 8px; } .stAppHeader { display: none; }</style>")
    st.session_state["runs"] = st.session_state.get("runs", 0) + 1
    asked = st.query_params
    name = asked.get("film", "linear")
    shown, data = film(name), packed(name)
    answer = show_viewer(
        ViewerFilm(
            asked.get("url", f"/films/{name}"),
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
        renderer=asked.get("renderer", "auto"),
        height=int(asked.get("height", 700)),
        key="viewer",
    )
    region = None if answer.region is None else asdict(answer.region)
    if region is not None:
        st.session_state["region"] = region
    st.html(f'<pre id="answer">{json.dumps(st.session_state.get("region"))}</pre>')
    st.html(f'<span id="runs">{st.session_state["runs"]}</span>')
    st.button("Run again")


main()
