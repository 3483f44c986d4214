"""The display window of a data set: VOI LUT Sequence, window, or percentiles where the file names neither (C.11.2)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from medcam.core.arrays import FloatArray
from medcam.core.display import DisplayWindow, VoiFunction
from medcam.core.errors import InvalidValueError
from medcam.dicom.errors import PixelDataError
from medcam.dicom.header import Header
from medcam.dicom.lut import LookupTable, read_table

_PERCENTILES = (0.5, 99.5)


@dataclass(frozen=True, slots=True)
class Voi:
    """What the file says about display, before polarity is known.

    Args:
        table: The first usable table of the VOI LUT Sequence.
        function: Function of the window, where there is no table.
        center: Window Center.
        width: Window Width; None where the file has neither window nor table.
    """

    table: LookupTable | None = None
    function: VoiFunction = VoiFunction.LINEAR
    center: float = 0.0
    width: float | None = None

    @property
    def falls(self) -> bool:
        """Whether the table shows larger values darker, so that it carries an inversion of its own."""
        return self.table is not None and self.table.falls

    @property
    def step(self) -> str:
        """In the standard's words."""
        if self.table is not None:
            return "VOI LUT Sequence (display only)"
        return (
            f"window {self.function} (display only)" if self.width is not None else "percentile window (display only)"
        )


def read_voi(header: Header, domain: tuple[float, float], *, little_endian: bool) -> Voi:
    """Reads the first table or window; further ones are alternatives for a reader and are noted.

    Args:
        header: The data set.
        domain: Smallest and largest value after the Modality LUT.
        little_endian: Byte order of tables stored as OW.
    """
    table = _first_table(header, domain, little_endian=little_endian)
    if table is not None:
        return Voi(table=table)
    centers, widths = header.numbers("WindowCenter"), header.numbers("WindowWidth")
    if not centers or not widths:
        return Voi()
    if len(centers) > 1:
        header.warn(f"the file offers {len(centers)} windows: the first one is shown")
    function = _function(header)
    try:
        DisplayWindow(function, centers[0], widths[0])
    except InvalidValueError:
        header.warn("Window Width is not valid: the window is ignored")
        return Voi()
    return Voi(function=function, center=centers[0], width=widths[0])


def display_window(voi: Voi, *, mirror: float | None, inverse: bool, visible: FloatArray) -> DisplayWindow:
    """Builds the display window of a radiograph.

    Args:
        voi: What the file says.
        mirror: Sum of the two ends where the pixels were inverted, else None.
        inverse: Whether the file asks for an inversion after the VOI LUT.
        visible: float32 [n], pixel values that are not padding, in final polarity.
    """
    if voi.table is not None:
        shown = voi.table.entries.astype(np.float32) / np.float32((1 << voi.table.bits) - 1)
        # `DisplayWindow` inverts the table's result exactly if it was built with a mirror. Where a falling table
        # undoes or replaces the file's own inversion, the two differ, and the table is stored complemented.
        if inverse != (mirror is not None):
            shown = np.float32(1.0) - shown
        first = float(voi.table.first_mapped)
        return DisplayWindow(VoiFunction.TABLE, table=shown, first_mapped=first, mirror=mirror, source="voi-lut")
    if voi.width is not None:
        return DisplayWindow(voi.function, voi.center, voi.width, mirror=mirror)
    low, high = (float(value) for value in np.percentile(visible, _PERCENTILES))
    width = high - low if high > low else 1.0
    return DisplayWindow(VoiFunction.LINEAR_EXACT, (low + high) / 2.0, width, source="percentiles")


def _first_table(header: Header, domain: tuple[float, float], *, little_endian: bool) -> LookupTable | None:
    items = header.items("VOILUTSequence")
    if not items:
        return None
    if len(items) > 1:
        header.warn(f"the file offers {len(items)} VOI LUTs: the first one is shown")
    try:
        table = read_table(items[0], domain, little_endian=little_endian)
        return replace(table, bits=_true_bits(table, header))
    except PixelDataError:
        header.warn("the VOI LUT is broken and is ignored")
        return None


def _true_bits(table: LookupTable, header: Header) -> int:
    """Bits per entry, corrected where the table contradicts its descriptor grossly and would be shown all but black."""
    used = int(table.entries.max()).bit_length()
    if used > table.bits or 0 < used < table.bits - 1:
        header.warn(f"a VOI LUT of {table.bits} bits uses {used}: shown as one of {used}")
        return used
    return table.bits


def _function(header: Header) -> VoiFunction:
    name = header.token("VOILUTFunction") or "LINEAR"
    if name in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        return VoiFunction(name)
    header.warn("VOI LUT Function is unknown: shown as LINEAR")
    return VoiFunction.LINEAR
