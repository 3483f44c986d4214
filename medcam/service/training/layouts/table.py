"""Our own layout: `labels.csv` with a column `image`, perhaps `patient_id`, and one column per finding."""

from __future__ import annotations

from pathlib import Path

from medcam.models.training.films import UNCERTAIN
from medcam.service.training.folder_films import TABLE, finding_columns, label_table, label_value
from medcam.service.training.layouts.listing import Layout, ListedFilm, Listing
from medcam.service.training.layouts.tables import Row, folder_of

_LATERAL = frozenset(("lateral", "ll", "rl", "lat"))
_DOUBT = frozenset(("-1", "-1.0"))


def fits(source: str) -> bool:
    """Whether there is a `labels.csv`, or the source is a table with a column `image`."""
    path = Path(source)
    if path.is_file():
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            return "image" in {name.strip().strip("\"'") for name in file.readline().split(",")}
    return (path / TABLE).is_file()


def read(source: str) -> Listing:
    """Reads it; cells of a finding hold 1, 0, -1 (uncertain) or nothing, where nobody judged."""
    path, folder = Path(source), folder_of(source)
    rows = label_table(path if path.is_file() else path / TABLE)
    findings = finding_columns(rows)
    patients = "patient_id" in rows[0]
    view = next((name for name in rows[0] if name.lower() == "view"), "")
    films = [
        ListedFilm(
            path=folder / row["image"],
            name=row["image"],
            labels=_labels(row, findings),
            patient=row["patient_id"] if patients else "",
            lateral=bool(view) and row[view].strip().lower() in _LATERAL,
        )
        for row in rows
    ]
    return Listing(LAYOUT.name, findings, tuple(films))


def _labels(row: Row, findings: tuple[str, ...]) -> dict[str, int]:
    found = {}
    for name in findings:
        value = label_value(row, name)
        if value >= 0:
            found[name] = value
        elif row[name] in _DOUBT:
            found[name] = UNCERTAIN
    return found


LAYOUT = Layout("table", "labels.csv with the columns image, patient_id and one per finding", fits, read)
