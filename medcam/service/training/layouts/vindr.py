"""VinDr-CXR: boxes by reader (`annotations_train.csv`, or `train.csv`), labels by reader (`image_labels_train.csv`).

Nguyen et al., "VinDr-CXR: An open dataset of chest X-rays with radiologist's annotations", Scientific Data 2022. Each
film of its training set was read by three radiologists: a finding is present where at least half of a film's readers
say so, uncertain where fewer do, absent where nobody does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from medcam.core.errors import InvalidValueError, UsageError
from medcam.core.geometry import Box
from medcam.evaluate.formats.places import Place
from medcam.models.training.films import UNCERTAIN
from medcam.service.training.layouts.film_files import by_name
from medcam.service.training.layouts.listing import ABSENT, NO_FINDING, PRESENT, Layout, ListedFilm, Listing
from medcam.service.training.layouts.tables import (
    find_table,
    folder_of,
    labels_of,
    needed_table,
    number,
    rows_of,
)

_CORNERS = ("x_min", "y_min", "x_max", "y_max")
_BOXES = ("image_id", "class_name", *_CORNERS)
_LABELS = ("image_id", "rad_id")
_OTHERS = frozenset((*_LABELS, ""))


@dataclass(eq=False, slots=True)
class _Read:
    """What is said of one film: its readers, those who see each finding, and boxes."""

    readers: set[str] = field(default_factory=set)
    seen: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    places: dict[str, Place] = field(default_factory=dict)


def fits(source: str) -> bool:
    """Whether there is a table of boxes with its columns."""
    return find_table(source, *_BOXES) is not None


def read(source: str) -> Listing:
    """Reads boxes and, where they are there, labels; votes of readers become labels."""
    folder, films = folder_of(source), defaultdict[str, _Read](_Read)
    _add_boxes(source, films)
    findings = dict.fromkeys(name for film in films.values() for name in film.seen)
    findings |= dict.fromkeys(_add_labels(str(folder), films))
    files = by_name(folder)
    listed = [
        ListedFilm(
            path=files.get(name),
            name=name,
            labels={finding: _vote(film, finding) for finding in findings},
            places=_kept(film),
        )
        for name, film in films.items()
    ]
    note = "Present where at least half of a film's readers say so, uncertain where fewer do."
    return Listing(LAYOUT.name, tuple(findings), tuple(listed), notes=(note,))


def _add_boxes(source: str, films: Mapping[str, _Read]) -> None:
    table = needed_table(source, LAYOUT.name, *_BOXES)
    for row in rows_of(table):
        film, reader, finding = films[row["image_id"]], row.get("rad_id", ""), row["class_name"]
        film.readers.add(reader)
        if finding.lower() in NO_FINDING:
            continue
        film.seen[finding].add(reader)
        if any(row[corner] for corner in _CORNERS):
            left, top, right, bottom = (number(row, corner, table) for corner in _CORNERS)
            try:
                place = Place((Box(left, top, right - left, bottom - top),))
            except InvalidValueError as error:
                raise UsageError(f"{table.name}: {error.message}", code="training-table") from error
            film.places[finding] = film.places.get(finding, Place()).joined(place)


def _add_labels(folder: str, films: Mapping[str, _Read]) -> list[str]:
    table = find_table(folder, *_LABELS, without=("class_name",))
    findings: list[str] = []
    for row in rows_of(table) if table else ():
        assert table is not None
        findings = findings or [name for name in row if name not in _OTHERS and name.lower() not in NO_FINDING]
        film, reader = films[row["image_id"]], row["rad_id"]
        film.readers.add(reader)
        for name, label in labels_of(row, findings, table).items():
            if label == PRESENT:
                film.seen[name].add(reader)
    return findings


def _vote(film: _Read, finding: str) -> int:
    votes = len(film.seen.get(finding, ()))
    if not votes:
        return ABSENT
    return PRESENT if 2 * votes >= len(film.readers) else UNCERTAIN


def _kept(film: _Read) -> dict[str, Place]:
    return {name: place for name, place in film.places.items() if _vote(film, name) == PRESENT}


LAYOUT = Layout("vindr", "VinDr-CXR: annotations_train.csv or train.csv with boxes by reader, DICOM files", fits, read)
