"""What the viewer is given, as the browser gets it: plain JSON, arrays as little-endian bytes in base64."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import numpy.typing as npt

from medcam.core.display import DisplayWindow
from medcam.core.finding import Point
from viewer.data import ViewerColours, ViewerDisplay, ViewerFilm, ViewerFinding, ViewerFrame, ViewerZone

Json = dict[str, Any]


@dataclass(frozen=True, eq=False)
class ViewerContent:
    """What is shown, as JSON.

    Args:
        data: The text, ASCII.
        digest: SHA-256 of it, in hexadecimal.
    """

    data: bytes = field(repr=False)
    digest: str


_WRITTEN: WeakValueDictionary[str, ViewerContent] = WeakValueDictionary()
"""What viewers fetch, by its address, for as long as somebody holds it: `written`, or whoever `offer` gave it to."""


@lru_cache(maxsize=32)
def written(
    film: ViewerFilm,
    findings: tuple[ViewerFinding, ...],
    colours: tuple[ViewerColours, ...],
    zones: tuple[ViewerZone, ...],
    scale: float,
    zone_scale: float | None,
) -> ViewerContent:
    """What is shown, as JSON text: the same objects are written once, however often their page runs."""
    text = json.dumps(
        {
            "film": film_json(film),
            "findings": [finding_json(finding) for finding in findings],
            "colours": [colours_json(table) for table in colours],
            "zones": [zone_json(zone) for zone in zones],
            "scale": scale,
            "zoneScale": zone_scale,
        }
    )
    data = text.encode("ascii")
    return ViewerContent(data, hashlib.sha256(data).hexdigest())


@dataclass(frozen=True, eq=False)
class Offer:
    """Content that can be fetched for as long as this is held.

    Args:
        address: Where: the place that was named, and the content's digest.
        content: What lies there.
    """

    address: str
    content: ViewerContent


def offer(content: ViewerContent, place: str) -> Offer:
    """Makes content ready to be fetched, until nobody holds the offer."""
    address = f"{place}/{content.digest}"
    # The one that is there already, where there is one: who holds it counts on its staying there.
    return Offer(address, _WRITTEN.setdefault(address, content))


def offered(address: str) -> bytes | None:
    """The content of an address that `offer` gave for a page that was drawn a while ago; None for any other."""
    content = _WRITTEN.get(address)
    return None if content is None else content.data


def film_json(film: ViewerFilm) -> Json:
    """A film; the pixels themselves are fetched from its address."""
    spacing = film.spacing
    return {
        "url": film.url,
        "rows": film.rows,
        "columns": film.columns,
        "slope": film.slope,
        "intercept": film.intercept,
        "aspect": film.pixel_aspect,
        "orientation": [direction.upper() for direction in film.orientation],
        "title": film.title,
        "spacing": spacing and {"row": spacing.row, "column": spacing.column, "atPatient": spacing.at_patient},
        "window": _window_json(film.window),
    }


def finding_json(finding: ViewerFinding) -> Json:
    """A finding with its map and the boxes of its regions."""
    transform = finding.transform
    return {
        "name": finding.name,
        "label": finding.label,
        "probability": finding.probability,
        "threshold": finding.threshold,
        "present": finding.present,
        "ledger": finding.ledger,
        "mapThreshold": finding.map_threshold,
        "scale": finding.scale,
        "filmScale": finding.film_scale,
        "zones": None if finding.zones is None else dict(finding.zones),
        "regions": [
            {"x": box.x, "y": box.y, "width": box.width, "height": box.height}
            for box in (region.box for region in finding.regions)
        ],
        "map": {
            "height": transform.height,
            "width": transform.width,
            "scaleX": transform.scale_x,
            "scaleY": transform.scale_y,
            "offsetX": transform.offset_x,
            "offsetY": transform.offset_y,
            "values": _base64(finding.values, "<f4"),
        },
    }


def zone_json(zone: ViewerZone) -> Json:
    """A zone with its outlines: each the x and y of its corners in turn, float32."""
    polygons = [_base64(np.array([(at.x, at.y) for at in polygon]), "<f4") for polygon in zone.polygons]
    return {"name": zone.name, "label": zone.label, "polygons": polygons}


def colours_json(colours: ViewerColours) -> Json:
    """A colour map."""
    table = _base64(colours.table, "u1")
    return {"name": colours.name, "label": colours.label, "signed": colours.signed, "table": table}


def frame_json(frame: ViewerFrame) -> Json:
    """How the viewer stands on its page."""
    return {**asdict(frame), "layout": frame.layout.value}


def display_json(display: ViewerDisplay, findings: Sequence[ViewerFinding]) -> Json:
    """The state in which the viewer starts."""
    window = display.window
    return {
        "finding": display.finding or (findings[0].name if findings else ""),
        "window": window and {"function": window.function.value, "center": window.center, "width": window.width},
        "invert": display.invert,
        "rotation": display.rotation,
        "flip": display.flip,
        "zoom": display.zoom,
        "centre": display.centre and _point_json(display.centre),
        "overlay": display.overlay,
        "opacity": display.opacity,
        "opacityMode": display.opacity_mode.value,
        "colours": display.colours,
        "threshold": display.threshold,
        "contour": display.contour,
        "boxes": display.boxes,
        "zones": display.zones,
        "sideBySide": display.side_by_side,
    }


def _window_json(window: DisplayWindow) -> Json:
    return {
        "function": window.function.value,
        "center": window.center,
        "width": window.width,
        "table": None if window.table is None else _base64(window.table, "<f4"),
        "firstMapped": window.first_mapped,
        "mirror": window.mirror,
    }


def _point_json(point: Point) -> list[float]:
    return [point.x, point.y]


def _base64(array: npt.NDArray[Any], kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(array, dtype=kind).tobytes()).decode("ascii")
