"""Which findings films truly have, and what else is known of them: a table of labels, or the truth of phantoms."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from medcam.core.codes import slug
from medcam.core.errors import UsageError
from medcam.service.evaluation.observed_film import AGE, SEX, VIEW, ObservedFilm, age_in_years
from medcam.service.evaluation.true_places import PHANTOM, Id, key_of, read_places
from medcam.service.phantoms.truth import TRUTH_NAME
from medcam.service.training.folder_films import TABLE, finding_columns, label_table, label_value

UID_COLUMN = "sop_instance_uid"
MOST_GROUPS = 20
"""A column with more values is no attribute that films can be grouped by."""


@dataclass(frozen=True, slots=True)
class FilmLabels:
    """What is known of a film.

    Args:
        labels: 1 or 0 by finding, as far as somebody judged.
        patient: Its patient; empty where it is not known.
        attributes: Groups by attribute.
        age: In years; None where it is not known.
    """

    labels: Mapping[str, int]
    patient: str = field(default="", repr=False)
    attributes: Mapping[str, str] = field(default_factory=dict)
    age: float | None = None


@dataclass(frozen=True, eq=False)
class Labels:
    """Truth of films, image by image.

    Args:
        format: "table", or the format of places that it was read from.
        sha256: Digest of the file.
        by: How films are found: a column of UIDs, paths, or file names.
        films: By that identifier.
        places: Where it was read from, if it says where findings are too.
    """

    format: str
    sha256: str
    by: Id
    films: Mapping[str, FilmLabels] = field(repr=False)
    places: Path | None = None

    def of(self, film: ObservedFilm) -> FilmLabels | None:
        """What is known of a film of a record; None where the truth does not name it."""
        if self.by is Id.SOP_INSTANCE_UID:
            return self.films.get(film.uid)
        return self.films.get(key_of(film.name, self.by))


def read_labels(path: Path, rename: Mapping[str, str] | None = None, by: Id | None = None) -> Labels:
    """Reads which findings films have.

    Args:
        path: A table as `medcam train` reads it (column `image`, `patient_id`, a column of 1, 0 or nothing per
            finding; further columns such as sex, age or manufacturer are attributes, and one named `sop_instance_uid`
            is what films are found by); a folder with such a `labels.csv`; the truth of phantoms; or places in any
            format of `medcam evaluate localisation`, where a film has a finding that has a place.
        rename: Findings that the model calls otherwise: name in the file to name in the model.
        by: How films are found; None for UIDs where there are any, else file names.

    Raises:
        UsageError: There is no such path (`no-such-source`), or the table is malformed (`training-table`).
        PlacesError: The places are broken.
    """
    if not path.exists():
        raise UsageError(f"there is no {path}", code="no-such-source", next_step="Check the path.")
    names = {slug(old): new for old, new in (rename or {}).items()}
    if path.is_dir() and (path / TABLE).is_file() and not (path / TRUTH_NAME).is_file():
        path = path / TABLE
    if path.suffix.lower() == ".csv" and _is_label_table(path):
        return _table(path, names, by)
    places = read_places(path, by, rename)
    extra = _phantom_extra(path) if places.format == PHANTOM else {}
    films = {}
    for key, film in places.films.items():
        labels = {name: int(place.said) for name, place in film.places.items()}
        attributes, age = extra.get(key, ({}, None))
        films[key] = FilmLabels(labels, film.patient or "", attributes, age)
    return Labels(places.format, places.sha256, places.id, films, path)


def _is_label_table(path: Path) -> bool:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        columns = {column.strip().strip("\"'") for column in file.readline().split(",")}
    return "image" in columns and not {"x", "width"} & columns


def _table(path: Path, names: Mapping[str, str], by: Id | None) -> Labels:
    rows = label_table(path)
    by_uid = UID_COLUMN in rows[0] and by in (None, Id.SOP_INSTANCE_UID)
    chosen = Id.SOP_INSTANCE_UID if by_uid else by or Id.FILE_NAME
    findings = [name for name in finding_columns(rows) if name.lower() not in (UID_COLUMN, AGE, SEX, VIEW)]
    others = _attributes(rows, {"image", "patient_id", UID_COLUMN, AGE, *findings})
    films: dict[str, FilmLabels] = {}
    for row in rows:
        judged = {names.get(slug(name), name): label_value(row, name) for name in findings}
        key = key_of(row[UID_COLUMN] if by_uid else row["image"], chosen)
        if key in films:
            raise UsageError(
                "two rows of the table name the same film", code="training-table", next_step="Try --id path."
            )
        films[key] = FilmLabels(
            labels={name: value for name, value in judged.items() if value >= 0},
            patient=row.get("patient_id") or "",
            attributes={name.lower(): row[name] for name in others if row[name]},
            age=age_in_years(row.get(AGE) or ""),
        )
    return Labels("table", hashlib.sha256(path.read_bytes()).hexdigest(), chosen, films)


def _attributes(rows: Sequence[Mapping[str, str]], taken: set[str]) -> list[str]:
    """Columns that films can be grouped by: few values, and more than one."""
    found = []
    for name in rows[0]:
        values = {row[name] for row in rows if row[name]}
        if name not in taken and 1 < len(values) <= MOST_GROUPS:
            found.append(name)
    return found


def _phantom_extra(path: Path) -> dict[str, tuple[dict[str, str], float | None]]:
    """Sex, view and age of phantoms; the reader of their truth has seen that it is an object of objects."""
    file = path / TRUTH_NAME if path.is_dir() else path
    content = json.loads(file.read_text(encoding="utf-8"))
    return {
        uid: (
            {name: str(entry[name]) for name in (SEX, VIEW) if entry.get(name)},
            float(entry["age_years"]) if entry.get("age_years") is not None else None,
        )
        for uid, entry in content.items()
    }
