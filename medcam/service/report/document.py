"""What a report is made of, before it is HTML, PDF or JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Status(StrEnum):
    """What a rule says of a number."""

    MEETS = "meets the rule"
    FAILS = "does not meet the rule"
    UNJUDGED = "cannot be judged"
    NOT_ASSESSED = "not assessed"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A number and the rule behind what is said of it.

    Args:
        what: Is judged, such as "AUC, Nodule".
        status: What the rule says.
        number: The number with its interval, in words.
        rule: The rule, in words.
    """

    what: str
    status: Status
    number: str
    rule: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Words."""

    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command to type."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the first column holds words."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A value with its interval; faint where it says little."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None
    faint: bool = False


@dataclass(frozen=True, slots=True)
class Forest:
    """Values with intervals, one below the other.

    Args:
        title: Above it.
        x_label: Below it.
        marks: From top to bottom.
        reference: Where a line is drawn; None for none.
        low: Left end of the axis.
        high: Right end.
    """

    title: str
    x_label: str
    marks: tuple[Mark, ...]
    reference: float | None = None
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True, slots=True)
class Curve:
    """A line through points, each perhaps with an interval of its height."""

    name: str
    points: tuple[tuple[float, float], ...]
    intervals: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Curves:
    """Lines in a square from 0 to 1, with its diagonal."""

    title: str
    x_label: str
    y_label: str
    curves: tuple[Curve, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture.

    Args:
        jpeg: Its file.
        width: Pixels.
        height: Pixels.
        caption: Below it.
    """

    jpeg: bytes = field(repr=False)
    width: int
    height: int
    caption: str


Block = Paragraph | Command | Table | Forest | Curves | Picture


@dataclass(frozen=True, slots=True)
class Section:
    """A section.

    Args:
        id: Names it in addresses and in the JSON.
        title: Its heading.
        blocks: What it says.
        verdicts: What it judges; empty where it only tells.
    """

    id: str
    title: str
    blocks: tuple[Block, ...]
    verdicts: tuple[Verdict, ...] = ()

    @property
    def status(self) -> Status | None:
        """The worst of its verdicts; None where it judges nothing."""
        order = (Status.MEETS, Status.UNJUDGED, Status.NOT_ASSESSED, Status.FAILS)
        return max((verdict.status for verdict in self.verdicts), key=order.index, default=None)


@dataclass(frozen=True, slots=True)
class Document:
    """A report.

    Args:
        title: Its title.
        lines: What it is about, below the title.
        made: When, in words.
        sections: In order.
    """

    title: str
    lines: tuple[str, ...]
    made: str
    sections: tuple[Section, ...]


def not_assessed(
    ident: str, title: str, what: str, commands: Sequence[str], rule: str, how: str = "It is measured by"
) -> Section:
    """A section on something that nobody measured, with the commands that do."""
    blocks: tuple[Block, ...] = (
        Paragraph(f"Not assessed: {what}. {how}:"),
        *(Command(command) for command in commands),
    )
    return Section(ident, title, blocks, (Verdict(title, Status.NOT_ASSESSED, "-", rule),))
