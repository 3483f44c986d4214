"""A radiograph as a header and arrays, and back."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from medcam.core.display import DisplayWindow, VoiFunction
from medcam.core.errors import MedcamError
from medcam.core.radiograph import Identity, PixelSpacing, Radiograph, View
from medcam.dicom.description import LARGEST_SIDE, MOST_PIXELS
from medcam.dicom.sandbox.fields import Fields
from medcam.dicom.sandbox.protocol import ProtocolError

_LARGEST_TABLE = 1 << 16

Array = npt.NDArray[Any]


def radiograph_to_record(radiograph: Radiograph) -> tuple[dict[str, Any], list[Array]]:
    """The header and the arrays after it: pixels, padding if there is some, table of the window if it has one."""
    window, spacing = radiograph.window, radiograph.spacing
    record = {
        "height": radiograph.height,
        "width": radiograph.width,
        "has_padding": radiograph.padding is not None,
        "window": {
            "function": str(window.function),
            "center": window.center,
            "width": window.width,
            "table": 0 if window.table is None else window.table.size,
            "first_mapped": window.first_mapped,
            "mirror": window.mirror,
            "source": window.source,
        },
        "spacing": None if spacing is None else asdict(spacing),
        "view": str(radiograph.view),
        "laterality": radiograph.laterality,
        "patient_orientation": list(radiograph.patient_orientation),
        "identity": asdict(radiograph.identity),
        "attributes": radiograph.attributes,
        "steps": list(radiograph.steps),
        "warnings": list(radiograph.warnings),
    }
    arrays = [radiograph.pixels, radiograph.padding, window.table]
    return record, [np.ascontiguousarray(array) for array in arrays if array is not None]


def radiograph_from_record(record: object, fill: Callable[[memoryview], None], sha256: str) -> Radiograph:
    """Rebuilds a radiograph; every size is judged before memory is taken for it.

    Args:
        record: The header.
        fill: Fills memory with the next bytes that come.
        sha256: Digest of the file, as the asking process found it.

    Raises:
        ProtocolError: The header or the arrays are not what a radiograph consists of.
    """
    fields = Fields(record)
    height, width = fields.integer("height", LARGEST_SIDE), fields.integer("width", LARGEST_SIDE)
    if not 0 < height * width <= MOST_PIXELS:
        raise ProtocolError("the image has an impossible size")
    table_size = fields.object("window").integer("table", _LARGEST_TABLE)
    pixels = _filled(np.empty((height, width), np.float32), fill)
    padding = None
    if fields.flag("has_padding"):
        padding = _filled(np.empty((height, width), np.uint8), fill) != 0
    table = _filled(np.empty(table_size, np.float32), fill) if table_size else None
    if table is not None and not np.isfinite(table).all():
        raise ProtocolError("the table of the window is not finite")
    try:
        return Radiograph(
            pixels=pixels,
            window=_window(fields.object("window"), table),
            padding=padding,
            spacing=_spacing(fields),
            view=View(fields.text("view")),
            laterality=fields.text("laterality"),
            patient_orientation=fields.texts("patient_orientation"),
            identity=identity_from_record(fields.object("identity")),
            attributes=fields.text_map("attributes"),
            sha256=sha256,
            steps=fields.texts("steps"),
            warnings=fields.texts("warnings"),
        )
    except (MedcamError, ValueError) as error:
        raise ProtocolError("the radiograph is not valid") from error


def identity_from_record(fields: Fields) -> Identity:
    """UIDs as texts, valid or not, as everywhere.

    Raises:
        ProtocolError: One is missing.
    """
    return Identity(**{name: fields.text(name) for name in Identity.__slots__})


def _window(fields: Fields, table: Array | None) -> DisplayWindow:
    return DisplayWindow(
        function=VoiFunction(fields.text("function")),
        center=fields.number("center"),
        width=fields.number("width"),
        table=table,
        first_mapped=fields.number("first_mapped"),
        mirror=fields.number("mirror") if fields.has("mirror") else None,
        source=fields.text("source"),
    )


def _spacing(fields: Fields) -> PixelSpacing | None:
    if not fields.has("spacing"):
        return None
    spacing = fields.object("spacing")
    return PixelSpacing(spacing.number("row"), spacing.number("column"), spacing.flag("at_patient"))


def _filled(array: Array, fill: Callable[[memoryview], None]) -> Array:
    assert math.prod(array.shape) > 0
    fill(array.data.cast("B"))
    return array
