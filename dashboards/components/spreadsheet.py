"""Tables as CSV that a spreadsheet opens without running anything. No Streamlit here."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_bytes(head: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A table as CSV in UTF-8.

    Args:
        head: Names of the columns.
        rows: Cells; numbers are written as they are, None is empty, and a text that would be a formula is quoted.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return text.getvalue().encode("utf-8")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, int):
        return str(value)
    words = str(value)
    # A cell that begins like a formula is one to a spreadsheet.
    return f"'{words}" if words.startswith(_BEGINS_A_FORMULA) else words
