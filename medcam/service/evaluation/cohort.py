"""A cohort: the films of a folder, with what is known about them.

`truth.json` (what `medcam phantom make` writes) brings labels, exact zones and the places of markers and text.
`labels.csv` (the table that `medcam train` reads) brings labels and patients. Where both are there, the labels are the
table's and the places are the truth's. A folder with neither is a cohort without labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from medcam.core.arrays import BoolArray
from medcam.core.errors import InputError, NotAnImageError, UsageError
from medcam.core.geometry import Box
from medcam.core.radiograph import Radiograph
from medcam.core.zones import Zones
from medcam.dicom import Answer, find_sources, frontal_chest, load_radiograph
from medcam.dicom.deidentify import FindText, find_burned_in
from medcam.phantom import FINDINGS
from medcam.service.phantoms.truth import TRUTH_NAME, FilmTruth, read_truth
from medcam.service.training.film_file import DICOM_SUFFIXES
from medcam.service.training.folder_films import TABLE, finding_columns, label_table, label_value
from medcam.service.training.picture_films import SUFFIXES, picture_film

WRITTEN = ("marker", "text")
"""Kinds of distractors that are letters on a film."""

MARK_MARGIN = 0.02
"""Share of the film's longer side by which marks are widened: a cell of a map sees beyond itself."""


@dataclass(frozen=True, eq=False)
class CohortFilm:
    """One film of a cohort.

    Args:
        name: What results call it: its path in the folder.
        patient: Films of one patient share it: the table's `patient_id`, else the study, else the film.
        radiograph: The film.
        labels: 1 or 0 per finding that somebody judged; empty without labels.
        zones: Where the anatomy lies, where that is known exactly.
        marks: Boxes of markers and burned-in text in source pixels, where they are known exactly; None otherwise.
    """

    name: str
    patient: str
    radiograph: Radiograph
    labels: Mapping[str, int] = field(default_factory=dict)
    zones: Zones | None = None
    marks: tuple[Box, ...] | None = None

    def mark_mask(self, find_text: FindText | None = None) -> BoolArray:
        """Where markers and text lie, widened by `MARK_MARGIN`: bool [height, width].

        Args:
            find_text: Of a film whose marks are not known, what this finds counts too, beside what `find_burned_in`
                finds.
        """
        film = self.radiograph
        if self.marks is None:
            found = find_burned_in(film.pixels, film.padding)
            if find_text is not None:
                found |= find_text(film.pixels, film.padding)
        else:
            found = np.zeros((film.height, film.width), dtype=np.bool_)
            for box in self.marks:
                left, top, right, bottom = (round(edge) for edge in box.corners)
                found[max(top, 0) : bottom, max(left, 0) : right] = True
        return _widened(found, round(MARK_MARGIN * max(film.height, film.width)))


@dataclass(frozen=True, slots=True)
class _Entry:
    path: Path
    name: str
    patient: str = ""
    labels: Mapping[str, int] | None = None
    row: Mapping[str, str] = field(default_factory=dict)


@dataclass(eq=False)
class Cohort:
    """The films of a folder, read one at a time.

    Args:
        folder: Where they lie.
        table: A table of labels in the place of the folder's own.

    Attributes:
        skipped: Names and reasons of files that were passed over in the latest reading.

    Raises:
        UsageError: The folder is missing or holds nothing that could be a film (code `empty-cohort`), or its table is
            malformed.
        TruthError: Its truth is broken.
    """

    folder: Path
    table: Path | None = None
    skipped: dict[str, str] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.folder = Path(self.folder)
        if not self.folder.is_dir():
            raise UsageError(f"there is no folder {self.folder}", code="no-such-source", next_step="Check the path.")
        self._truth = read_truth(self.folder) if (self.folder / TRUTH_NAME).is_file() else {}
        self._entries = _entries(self.folder, self.table)
        if not self._entries:
            raise UsageError(
                f"{self.folder.name} holds no films",
                code="empty-cohort",
                next_step="Name a folder with DICOM files, or one with labels.csv.",
            )

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def labelled(self) -> bool:
        """Whether it has labels of any kind."""
        return bool(self._truth) or any(entry.labels is not None for entry in self._entries)

    def __iter__(self) -> Iterator[CohortFilm]:
        """Every film that can be read and is not known to be something else than a frontal chest film, in order."""
        self.skipped = {}
        for place, entry in enumerate(self._entries):
            try:
                yield self.film(place)
            except InputError as error:
                self.skipped[entry.name] = error.code

    def name(self, place: int) -> str:
        """What results call a film."""
        return self._entries[place].name

    def path(self, place: int) -> Path:
        """Where a film lies."""
        return self._entries[place].path

    def row(self, place: int) -> Mapping[str, str]:
        """The film's row of the table of labels; empty without a table."""
        return self._entries[place].row

    def film(self, place: int) -> CohortFilm:
        """Reads one film.

        Raises:
            InputError: It cannot be read, or is no frontal chest film by its attributes.
        """
        entry = self._entries[place]
        film = _read(entry.path)
        identity = film.identity
        truth = self._truth.get(identity.sop_instance_uid)
        return CohortFilm(
            name=entry.name,
            patient=entry.patient or identity.study_instance_uid or entry.name,
            radiograph=film,
            labels=_labels(truth) if entry.labels is None else entry.labels,
            zones=None if truth is None else truth.zones(),
            marks=None if truth is None else tuple(d.box for d in truth.distractors if d.kind in WRITTEN),
        )


def _labels(truth: FilmTruth | None) -> Mapping[str, int]:
    if truth is None:
        return {}
    return {name: int(name in truth.names) for name in dict.fromkeys((*FINDINGS, *truth.names))}


def _entries(folder: Path, table: Path | None) -> list[_Entry]:
    if table is not None or (folder / TABLE).is_file():
        rows = label_table(table or folder / TABLE)
        columns = finding_columns(rows)
        return [
            _Entry(folder / row["image"], row["image"], row.get("patient_id", ""), _judged(row, columns), row)
            for row in rows
        ]
    paths = (path for path in find_sources([folder]) if path.suffix.lower() in DICOM_SUFFIXES)
    return [_Entry(path, path.relative_to(folder).as_posix()) for path in paths]


def _judged(row: Mapping[str, str], columns: Sequence[str]) -> dict[str, int]:
    values = {name: label_value(row, name) for name in columns}
    return {name: value for name, value in values.items() if value >= 0}


def _read(path: Path) -> Radiograph:
    if path.suffix.lower() in SUFFIXES:
        return picture_film(path)
    film = load_radiograph(path)
    verdict = frontal_chest(film) if film.attributes else None
    if verdict is not None and verdict.answer is Answer.NO:
        raise NotAnImageError(f"no frontal chest film: {verdict.reason}", code=verdict.reason.replace(" ", "-"))
    return film


def _widened(mask: BoolArray, reach: int) -> BoolArray:
    """A mask grown by a square of `reach` pixels to each side."""
    grown = mask
    for axis in (0, 1):
        # Sums over a window, by differences of a running sum: the time does not grow with the reach.
        padded = np.pad(grown.astype(np.int32), [(reach + 1, reach) if a == axis else (0, 0) for a in (0, 1)])
        sums = padded.cumsum(axis=axis)
        window = 2 * reach + 1
        low = np.take(sums, range(sums.shape[axis] - window), axis=axis)
        high = np.take(sums, range(window, sums.shape[axis]), axis=axis)
        grown = high > low
    return np.asarray(grown, dtype=np.bool_)
