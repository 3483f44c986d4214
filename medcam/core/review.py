"""A reader's answer to what a model said of a film."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from medcam.core.errors import InvalidValueError
from medcam.core.finding import Point
from medcam.core.geometry import Box

LONGEST_COMMENT = 10_000
MOST_POINTS = 5_000


class Phase(StrEnum):
    """Whether the reader knew what the model says (aided), or had not been shown it yet (blind)."""

    BLIND = "blind"
    AIDED = "aided"


class Answer(StrEnum):
    """What a reader says. To a finding that was shown: agree, disagree, or right finding but wrong region.

    Missed is a finding that is there and that the model did not call present. Present and absent are answers of a blind
    reading. Uncertain is an answer of both.
    """

    AGREE = "agree"
    DISAGREE = "disagree"
    WRONG_REGION = "wrong-region"
    MISSED = "missed"
    PRESENT = "present"
    ABSENT = "absent"
    UNCERTAIN = "uncertain"


ANSWERS: Mapping[Phase, frozenset[Answer]] = {
    Phase.BLIND: frozenset((Answer.PRESENT, Answer.ABSENT, Answer.UNCERTAIN)),
    Phase.AIDED: frozenset(Answer) - {Answer.PRESENT, Answer.ABSENT},
}
"""The answers of each phase."""
WITH_REGION = frozenset((Answer.WRONG_REGION, Answer.MISSED))
"""Answers that say where."""


class MarkKind(StrEnum):
    """How a reader marked a place."""

    BOX = "box"
    OUTLINE = "outline"


@dataclass(frozen=True, slots=True)
class MarkedRegion:
    """A place that a reader marked.

    Args:
        kind: A box is given by two opposite corners, an outline by its points in order.
        points: In source pixels.
    """

    kind: MarkKind
    points: tuple[Point, ...]

    def __post_init__(self) -> None:
        right_number = len(self.points) == 2 if self.kind is MarkKind.BOX else 3 <= len(self.points) <= MOST_POINTS
        if not right_number:
            raise InvalidValueError(f"{len(self.points)} points make no {self.kind}")
        if not all(math.isfinite(value) for point in self.points for value in (point.x, point.y)):
            raise InvalidValueError("the points of a region must be finite")
        box = self.box
        if not (box.width > 0 and box.height > 0):
            raise InvalidValueError("a marked region must have an area")

    @property
    def box(self) -> Box:
        """The tightest box around it."""
        xs, ys = [point.x for point in self.points], [point.y for point in self.points]
        return Box(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))


@dataclass(frozen=True, slots=True)
class Review:
    """One answer of one reader to one finding of one film. Never changed: a changed mind is another review.

    Args:
        study: Id of the study.
        radiograph: Id of the film.
        explanation: Id of the explanation that the answer is about; None in a blind reading.
        reader: Number of the reader.
        phase: Blind or aided.
        finding: Its name.
        answer: What the reader says.
        confidence: 0 (surely absent) to 100 (surely present), as in a reader study; None where it was not asked for.
        region: Where the reader sees it; None where nothing was marked.
        comment: In the reader's words.
        display: What was shown: finding, window, threshold, whether the overlay was on. JSON values.
        seconds: Time taken since the film was opened; None where it is not known.
    """

    study: str
    radiograph: str
    explanation: str | None
    reader: int
    phase: Phase
    finding: str
    answer: Answer
    confidence: float | None = None
    region: MarkedRegion | None = None
    comment: str = field(default="", repr=False)
    display: Mapping[str, Any] = field(default_factory=dict, repr=False)
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.answer not in ANSWERS[self.phase]:
            raise InvalidValueError(f"{self.answer} is no answer of a {self.phase} reading")
        if (self.phase is Phase.AIDED) != (self.explanation is not None):
            raise InvalidValueError("an aided review names its explanation, a blind one has none")
        if self.answer in WITH_REGION and self.region is None:
            raise InvalidValueError(f"the answer {self.answer} needs a region: mark it on the film")
        if self.confidence is not None and not 0.0 <= self.confidence <= 100.0:
            raise InvalidValueError(f"a confidence lies between 0 and 100, not {self.confidence}")
        if len(self.comment) > LONGEST_COMMENT:
            raise InvalidValueError(f"a comment has {LONGEST_COMMENT} characters at most")
        if self.seconds is not None and not (math.isfinite(self.seconds) and self.seconds >= 0):
            raise InvalidValueError("the time taken is at least 0")
        if not self.finding:
            raise InvalidValueError("a review names a finding")
