"""Tables of published data sets: which ones a source has, by their columns, and their rows."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from medcam.core.errors import UsageError
from medcam.models.training.films import UNCERTAIN
from medcam.service.training.layouts.listing import ABSENT, PRESENT

Row = Mapping[str, str]
SUFFIXES = (".csv", ".csv.gz")
_FOLDERS = ("", "annotations")
"""Where tables lie: in the source itself, or in this folder of it."""
_VALUES = {"1": PRESENT, "1.0": PRESENT, "0": ABSENT, "0.0": ABSENT, "-1": UNCERTAIN, "-1.0": UNCERTAIN}


def folder_of(source: str) -> Path:
    """The folder that paths of a source start from: itself, or where its table lies."""
    path = Path(source)
    return path.parent if path.is_file() else path


def find_table(source: str, *columns: str, without: Sequence[str] = ()) -> Path | None:
    """The table of a source that has all of these columns.

    Args:
        source: A folder, whose own tables and those of its folder "annotations" are looked at; or one table.
        columns: Their names.
        without: Names of columns that it must not have.

    Returns:
        None where there is none; where there are several, the first whose name has "train" in it, else the first.
    """
    found = []
    for table in _tables(source):
        names = _columns(table)
        if set(columns) <= names and not names & set(without):
            found.append(table)
    found.sort(key=lambda table: ("train" not in table.name.lower(), table.name))
    return found[0] if found else None


def has_tables(source: str) -> bool:
    """Whether a source has tables at all."""
    return bool(_tables(source))


def needed_table(source: str, layout: str, *columns: str, without: Sequence[str] = ()) -> Path:
    """The same; a `UsageError` (`training-table`) where there is none."""
    found = find_table(source, *columns, without=without)
    if found is None:
        raise UsageError(
            f"there is no table with the columns of the layout {layout}: {', '.join(columns)}",
            code="training-table",
            next_step="See docs/how-to/train-on-your-own-films.md for the layouts.",
        )
    return found


def rows_of(table: Path) -> Iterator[Row]:
    """Rows of a table, texts by column, stripped.

    Raises:
        UsageError: It cannot be read, or a row has more or fewer cells than there are columns (`training-table`).
    """
    try:
        with _opened(table) as file:
            reader = csv.DictReader(file)
            reader.fieldnames = [(name or "").strip() for name in reader.fieldnames or ()]
            for number, row in enumerate(reader, start=2):
                # A row that is too short has None for values, one that is too long has None for a key.
                if None in row or None in row.values():
                    raise UsageError(
                        f"row {number} of {table.name} has more or fewer cells than there are columns",
                        code="training-table",
                    )
                yield {key: value.strip() for key, value in row.items()}
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{table.name} cannot be read as a table", code="training-table") from error


def labels_of(row: Row, findings: Iterable[str], table: Path) -> dict[str, int]:
    """Labels of a row: 1, 0, -1 (uncertain); findings whose cell is empty are left out.

    Raises:
        UsageError: A cell holds something else (`training-table`).
    """
    labels = {}
    for name in findings:
        text = row[name]
        if text and text not in _VALUES:
            raise UsageError(f"column {name!r} of {table.name} holds {text!r}", code="training-table")
        if text:
            labels[name] = _VALUES[text]
    return labels


def number(row: Row, column: str, table: Path) -> float:
    """A cell that holds a number; a `UsageError` (`training-table`) where it does not."""
    try:
        return float(row[column])
    except ValueError as error:
        raise UsageError(
            f"column {column!r} of {table.name} holds {row[column]!r}, which is no number", code="training-table"
        ) from error


def _tables(source: str) -> list[Path]:
    path = Path(source)
    if path.is_file():
        return [path]
    found = [one for name in _FOLDERS for one in (path / name).glob("*")]
    return sorted(one for one in found if one.name.lower().endswith(SUFFIXES) and one.is_file())


def _columns(table: Path) -> set[str]:
    try:
        with _opened(table) as file:
            return {name.strip() for name in next(csv.reader(file), [])}
    except (OSError, EOFError, UnicodeDecodeError, csv.Error):
        return set()


@contextmanager
def _opened(table: Path) -> Iterator[TextIO]:
    # Spreadsheets begin a UTF-8 file with a byte order mark.
    if table.suffix.lower() == ".gz":
        with gzip.open(table, "rt", newline="", encoding="utf-8-sig") as packed:
            yield packed
    else:
        with table.open(newline="", encoding="utf-8-sig") as file:
            yield file
