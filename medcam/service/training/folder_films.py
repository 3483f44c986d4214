"""One's own films as a training set: a folder with a table of image-level labels."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from medcam.core.card import InputRecipe
from medcam.core.errors import UsageError
from medcam.models.preprocess import prepare
from medcam.models.training.films import UNKNOWN, Films
from medcam.service.training.film_file import load_film

TABLE = "labels.csv"
VALUES = {"1": 1, "1.0": 1, "0": 0, "0.0": 0, "": UNKNOWN, "-1": UNKNOWN, "-1.0": UNKNOWN}


def folder_films(
    folder: Path, size: int, *, findings: Sequence[str] = (), progress: Callable[[int, int], None] = lambda *_: None
) -> Films:
    """Reads `labels.csv` and the films it names.

    The table has a column `image` (path relative to the folder; DICOM, PNG or JPEG), a column `patient_id` (films of
    one patient are never split apart; without it every film counts as a patient) and one column per finding with 1, 0,
    or nothing where nobody judged it.

    Args:
        folder: Where the table lies.
        size: Side of the model's input.
        findings: Columns to use; all columns of 0, 1 and empty values when not given.
        progress: Called with (films read, films in all).

    Returns:
        The films, without truth masks.

    Raises:
        UsageError: The table is missing or malformed (`training-table`).
        InputError: A film cannot be read.
    """
    rows = label_table(folder / TABLE)
    names = tuple(findings) or finding_columns(rows)
    images = np.empty((len(rows), size, size), dtype=np.float16)
    for place, row in enumerate(rows):
        images[place] = prepare(load_film(folder / row["image"]), InputRecipe(size, size)).values[0]
        progress(place + 1, len(rows))
    patients = [row.get("patient_id") or row["image"] for row in rows]
    return Films(
        names=names,
        images=images,
        labels=np.array([[label_value(row, name) for name in names] for row in rows], dtype=np.int8),
        patients=np.array([zlib.crc32(patient.encode()) for patient in patients], dtype=np.int64),
        partners=np.full(len(rows), -1, dtype=np.int64),
    )


def label_table(path: Path) -> list[dict[str, str]]:
    """Rows of a table of labels, as texts by column; see `folder_films` for its columns.

    Raises:
        UsageError: It is missing or malformed (`training-table`).
    """
    if not path.is_file():
        raise UsageError(
            f"{path.parent} has no {TABLE}",
            code="training-table",
            next_step="See `medcam train --help` for its columns.",
        )
    try:
        # Spreadsheets begin a UTF-8 file with a byte order mark.
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            rows, columns = list(reader), list(reader.fieldnames or ())
    except (UnicodeDecodeError, csv.Error) as error:
        step = "Save it as comma-separated text in UTF-8."
        raise UsageError(f"{path.name} cannot be read as a table", code="training-table", next_step=step) from error
    if not rows or "image" not in columns or len(set(columns)) < len(columns):
        raise UsageError(
            f"{path.name} needs a column 'image', each column named once, and at least one row", code="training-table"
        )
    for number, row in enumerate(rows, start=1):
        # A row that is too short has None for values, one that is too long has None for a key.
        if None in row or None in row.values() or not row["image"]:
            raise UsageError(
                f"row {number} of {path.name} names no image, or has more or fewer cells than there are columns",
                code="training-table",
            )
    return rows


def finding_columns(rows: list[dict[str, str]]) -> tuple[str, ...]:
    """Columns that hold nothing but 1, 0 and empty values.

    Raises:
        UsageError: There is none (`training-table`).
    """
    names = [name for name in rows[0] if name not in ("image", "patient_id")]
    usable = [name for name in names if all(row[name] in VALUES for row in rows)]
    if not usable:
        raise UsageError("the table has no column of 0, 1 and empty values", code="training-table")
    return tuple(usable)


def label_value(row: Mapping[str, str], name: str) -> int:
    """A label: 1, 0, or `UNKNOWN` where nobody judged.

    Raises:
        UsageError: The cell holds something else (`training-table`).
    """
    value = row.get(name)
    if value not in VALUES:
        raise UsageError(f"column {name!r} holds {value!r}; expected 1, 0 or nothing", code="training-table")
    return VALUES[value]
