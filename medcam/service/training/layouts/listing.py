"""What every layout is read into: films by path, with image-level labels, patients, and the places that were drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from medcam.evaluate.formats.places import Place
from medcam.models.training.films import UNCERTAIN, UNKNOWN

PRESENT, ABSENT = 1, 0
NO_FINDING = frozenset(("no finding", "no findings", "normal", "healthy", "negative", "none"))
"""Lower-case names that say that nothing is there; they are no finding themselves."""


@dataclass(frozen=True, eq=False, slots=True)
class ListedFilm:
    """A film that a layout names, unread.

    Args:
        path: Where it lies; None for one that is named and is not there.
        name: As the layout names it.
        labels: By finding: `PRESENT`, `ABSENT` or `UNCERTAIN`; a finding that nobody judged, or that a report does not
            mention, is left out.
        patient: Films of one patient share it; empty where the layout does not say.
        places: Where findings are, by finding.
        size: Height and width of the pixels in which places are given; None for those of the file.
        lateral: Whether it is known to be a lateral view.
    """

    path: Path | None
    name: str
    labels: Mapping[str, int]
    patient: str = field(default="", repr=False)
    places: Mapping[str, Place] = field(default_factory=dict, repr=False)
    size: tuple[int, int] | None = None
    lateral: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Listing:
    """What a layout says.

    Args:
        layout: Its name.
        findings: In the order of the layout.
        films: All of them.
        reports: Whether labels were taken from reports, which do not mention most of what is absent.
        notes: What must be known of labels, patients or places, a sentence each.
    """

    layout: str
    findings: tuple[str, ...]
    films: tuple[ListedFilm, ...] = field(repr=False)
    reports: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """One way in which films and labels lie on a disk.

    Args:
        name: On the command line.
        about: What it is, for whoever has to choose.
        fits: Whether a source looks like it; cheap.
        read: Reads it; raises `UsageError` (`training-table`) where it is malformed.
    """

    name: str
    about: str
    fits: Callable[[str], bool] = field(repr=False)
    read: Callable[[str], Listing] = field(repr=False)


def judged(labels: Mapping[str, int], findings: Sequence[str]) -> list[int]:
    """Labels in the order of findings, `UNKNOWN` where there is none."""
    return [labels.get(name, UNKNOWN) for name in findings]


def agreed(votes: Sequence[int]) -> int:
    """One label of several readers: what all say, `UNCERTAIN` where they differ or one of them is."""
    return votes[0] if len(set(votes)) == 1 else UNCERTAIN
