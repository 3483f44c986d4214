"""Moves dates by whole days; what is no date in DICOM's form is not moved but dropped."""

from __future__ import annotations

import re
from datetime import date, timedelta

_DATE = re.compile(r"^(\d{4})\.?(\d{2})\.?(\d{2})$")
_TIME = re.compile(r"^([01]\d|2[0-3])(?::?([0-5]\d)(?::?([0-5]\d|60)(\.\d{1,6})?)?)?$")
_DATE_TIME = re.compile(r"^(\d{8})(\d{2}(?:\d{2}(?:\d{2}(?:\.\d{1,6})?)?)?)?(?:[+-]\d{4})?$")


def shifted_date(text: str, days: int) -> str | None:
    """A DA value (PS3.5 6.2; the older form with dots too) moved by days, or None where it is none."""
    found = _DATE.match(text.strip(" \0"))
    if found is None:
        return None
    try:
        moved = date(*map(int, found.groups())) + timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    return f"{moved.year:04d}{moved.month:02d}{moved.day:02d}"


def plain_time(text: str) -> str | None:
    """A TM value without colons, or None where it is none. The time of day stays: it tells no date."""
    found = _TIME.match(text.strip(" \0"))
    return None if found is None else "".join(part or "" for part in found.groups())


def shifted_date_time(text: str, days: int) -> str | None:
    """A DT value moved by days and without its offset from UTC, or None where it is none, or too coarse to move."""
    found = _DATE_TIME.match(text.strip(" \0"))
    if found is None:
        return None
    moved, time = shifted_date(found[1], days), plain_time(found[2] or "00")
    return None if moved is None or time is None else moved + (time if found[2] else "")
