"""Weeks or months, whichever fit the time that answers span."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

MOST_DAYS_IN_WEEKS = 120
"""Answers that span more days are told by the month."""


class Unit(StrEnum):
    """How long a period is."""

    WEEK = "week"
    MONTH = "month"


def unit_of(times: Sequence[float]) -> Unit:
    """What to tell times by.

    Args:
        times: Seconds since 1970 UTC.
    """
    days = (max(times) - min(times)) / 86400.0 if times else 0.0
    return Unit.WEEK if days <= MOST_DAYS_IN_WEEKS else Unit.MONTH


def period_start(time: float, unit: Unit) -> date:
    """The first day (UTC) of the period of a time: a Monday, or the first of a month.

    Args:
        time: Seconds since 1970 UTC.
        unit: Week or month.
    """
    day = datetime.fromtimestamp(time, UTC).date()
    return day - timedelta(days=day.weekday()) if unit is Unit.WEEK else day.replace(day=1)
