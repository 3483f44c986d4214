"""What comes back from the browser, checked: anyone can write a message, so nothing in it is believed."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from medcam.core.display import VoiFunction
from medcam.core.errors import InvalidValueError
from medcam.core.finding import Point
from viewer.data import (
    OpacityMode,
    RegionKind,
    ShownWindow,
    ViewerAnswer,
    ViewerDisplay,
    ViewerFilm,
    ViewerRegion,
)

MOST_POINTS = 5000
"""More corners than a hand draws."""


def parse_answer(message: object, film: ViewerFilm, findings: Collection[str]) -> ViewerAnswer:
    """Turns the viewer's message into an answer.

    Args:
        message: What Streamlit hands over as the trigger "region"; None when nothing was confirmed.
        film: The film that was shown.
        findings: Names of the findings that were shown.

    Returns:
        The answer; its region lies on the film.

    Raises:
        InvalidValueError: The message is none that the viewer sends.
    """
    if message is None:
        return ViewerAnswer()
    try:
        return ViewerAnswer(_region(_mapping(message), film, findings))
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidValueError("the viewer sent a region that cannot be read") from error


def _region(message: Mapping[str, Any], film: ViewerFilm, findings: Collection[str]) -> ViewerRegion:
    finding, kind = str(message["finding"]), RegionKind(message["kind"])
    if findings and finding not in findings:
        raise ValueError("no such finding")
    corners = message["points"]
    fewest, most = (2, 2) if kind is RegionKind.BOX else (3, MOST_POINTS)
    if not fewest <= len(corners) <= most:
        raise ValueError("too few corners, or too many")
    points = tuple(_point(corner) for corner in corners)
    if not all(0.0 <= point.x <= film.columns and 0.0 <= point.y <= film.rows for point in points):
        raise ValueError("a corner outside the film")
    region = ViewerRegion(finding, kind, points, _display(_mapping(message["display"])))
    _ = region.box  # refuses a region without an area
    return region


def _display(state: Mapping[str, Any]) -> ViewerDisplay:
    window, centre = state["window"], state["centre"]
    return ViewerDisplay(
        finding=str(state["finding"]),
        window=None if window is None else _window(_mapping(window)),
        invert=_flag(state["invert"]),
        rotation=int(state["rotation"]),
        flip=_flag(state["flip"]),
        zoom=None if state["zoom"] is None else _number(state["zoom"]),
        centre=None if centre is None else _point(centre),
        overlay=_flag(state["overlay"]),
        opacity=_number(state["opacity"]),
        opacity_mode=OpacityMode(state["opacityMode"]),
        colours=str(state["colours"]),
        threshold=None if state["threshold"] is None else _number(state["threshold"]),
        contour=_flag(state["contour"]),
        boxes=_flag(state["boxes"]),
        zones=_flag(state["zones"]),
        side_by_side=_flag(state["sideBySide"]),
    )


def _window(window: Mapping[str, Any]) -> ShownWindow:
    function = VoiFunction(window["function"])
    if function is VoiFunction.TABLE:
        raise ValueError("a table is the file's own")
    return ShownWindow(function, _number(window["center"]), _number(window["width"]))


def _mapping(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError("not a mapping")
    return value


def _point(value: Any) -> Point:  # noqa: ANN401  parsed JSON
    x, y = value
    return Point(_number(x), _number(y))


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError("not a finite number")
    return float(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("not a flag")
    return value
