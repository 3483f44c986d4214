"""CheXpert: `train.csv` with paths, views, and 14 labels of 1, 0, -1 (uncertain) or nothing (not mentioned).

Irvin et al., "CheXpert: A Large Chest Radiograph Dataset with Uncertainty Labels and Expert Comparison", AAAI 2019.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from medcam.service.training.layouts.listing import NO_FINDING, Layout, ListedFilm, Listing
from medcam.service.training.layouts.tables import find_table, folder_of, labels_of, needed_table, rows_of

_COLUMNS = ("Path", "Frontal/Lateral")
_OTHERS = frozenset((*_COLUMNS, "Sex", "Age", "AP/PA", ""))
_PATIENT = re.compile(r"patient\d+", re.IGNORECASE)


def fits(source: str) -> bool:
    """Whether there is a table with its columns."""
    return find_table(source, *_COLUMNS) is not None


def read(source: str) -> Listing:
    """Reads its table; paths start from the folder or the one above it."""
    table = needed_table(source, LAYOUT.name, *_COLUMNS)
    rows = list(rows_of(table))
    columns = rows[0] if rows else {}
    findings = tuple(name for name in columns if name not in _OTHERS and name.lower() not in NO_FINDING)
    skipped = _leading(folder_of(source), rows[0]["Path"]) if rows else 0
    films = []
    for row in rows:
        patient = _PATIENT.search(row["Path"])
        films.append(
            ListedFilm(
                path=folder_of(source).joinpath(*PurePosixPath(row["Path"]).parts[skipped:]),
                name=row["Path"],
                labels=labels_of(row, findings, table),
                patient=patient.group() if patient else "",
                lateral=row["Frontal/Lateral"].lower().startswith("lat"),
            )
        )
    note = "Labels were taken from reports by a program."
    return Listing(LAYOUT.name, findings, tuple(films), reports=True, notes=(note,))


def _leading(folder: Path, first: str) -> int:
    """How many leading parts of the paths lie above the folder: they begin with the name of the data set's own."""
    parts = PurePosixPath(first).parts
    return next((count for count in range(len(parts)) if folder.joinpath(*parts[count:]).is_file()), 0)


LAYOUT = Layout("chexpert", "CheXpert: train.csv with the columns Path, Frontal/Lateral and 14 labels", fits, read)
