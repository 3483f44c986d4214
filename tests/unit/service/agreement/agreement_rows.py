"""Answers in few letters, and what is read of a report."""

from __future__ import annotations

from medcam.core.finding import Point
from medcam.core.review import Answer, MarkedRegion, MarkKind

YES, NO, UNSURE = Answer.PRESENT, Answer.ABSENT, Answer.UNCERTAIN
BOX = MarkedRegion(MarkKind.BOX, (Point(100, 100), Point(200, 200)))


def counts(pair):
    return pair.both, pair.first_only, pair.second_only, pair.neither


def row(rows, name):
    [found] = [one for one in rows if one.reader.name == name]
    return found
