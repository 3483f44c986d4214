"""One figure of a benchmark."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from medcam.core.errors import InvalidValueError


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value.

    Args:
        name: Such as "rerun/p95".
        value: What was measured; nan where it could not be.
        unit: Such as "ms".
        n: Of how many measurements it comes; 0 where it could not be measured.
        baseline: What it is set beside: a target, or another way of doing the same; None for nothing.
        low: Lower end of its 95 % interval; nan where there is none.
        high: Upper end.
        note: Why it is missing, or what has to be known about it.
    """

    name: str
    value: float
    unit: str
    n: int
    baseline: float | None = None
    low: float = math.nan
    high: float = math.nan
    note: str = ""

    def __post_init__(self) -> None:
        if self.n < 0 or not self.name:
            raise InvalidValueError("a figure has a name, and comes of no negative number of measurements")

    @property
    def ratio(self) -> float | None:
        """The value over its baseline; None where there is none."""
        return self.value / self.baseline if self.baseline else None

    def to_json(self) -> dict[str, Any]:
        """The figure as a JSON value; None for what is not known."""
        fields = {**asdict(self), "ratio": self.ratio}
        return {name: None if isinstance(v, float) and not math.isfinite(v) else v for name, v in fields.items()}
