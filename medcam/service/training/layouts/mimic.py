"""MIMIC-CXR-JPG: `mimic-cxr-2.0.0-chexpert.csv` (or `-negbio`) by study, `-metadata.csv` by film, gzipped or not.

Johnson et al., "MIMIC-CXR-JPG, a large publicly available database of labeled chest radiographs", 2019 (arXiv
1901.07042). Films lie in files/p10/p10000032/s50414267/<dicom_id>.jpg.
"""

from __future__ import annotations

from pathlib import Path

from medcam.core.errors import UsageError
from medcam.service.training.layouts.listing import NO_FINDING, Layout, ListedFilm, Listing
from medcam.service.training.layouts.tables import find_table, folder_of, labels_of, needed_table, rows_of

_STUDY = ("subject_id", "study_id")
_LABELS = (*_STUDY, "Atelectasis")
_FILM = ("dicom_id", *_STUDY, "ViewPosition")
_LATERAL = frozenset(("LATERAL", "LL", "RL", "XTABLE LATERAL", "SWIMMERS"))
_SUFFIXES = (".jpg", ".dcm", ".png")


def fits(source: str) -> bool:
    """Whether there are tables with its columns."""
    return find_table(source, *_LABELS) is not None and find_table(source, *_FILM) is not None


def read(source: str) -> Listing:
    """Joins labels of studies with the films of each."""
    folder = folder_of(source)
    table = needed_table(str(folder), LAYOUT.name, *_LABELS)
    studies = {(row["subject_id"], row["study_id"]): row for row in rows_of(table)}
    columns = next(iter(studies.values()), {})
    findings = tuple(name for name in columns if name not in _STUDY and name.lower() not in NO_FINDING)
    labels = {study: labels_of(row, findings, table) for study, row in studies.items()}
    films = []
    for row in rows_of(needed_table(str(folder), LAYOUT.name, *_FILM)):
        study = (row["subject_id"], row["study_id"])
        if study in labels:
            films.append(
                ListedFilm(
                    path=_path(folder, *study, row["dicom_id"]),
                    name=row["dicom_id"],
                    labels=labels[study],
                    patient=row["subject_id"],
                    lateral=row["ViewPosition"].upper() in _LATERAL,
                )
            )
    if not films:
        raise UsageError("no film of the metadata belongs to a labelled study", code="training-table")
    note = "Labels were taken from reports by a program, and are those of the study: all its films share them."
    return Listing(LAYOUT.name, findings, tuple(films), reports=True, notes=(note,))


def _path(folder: Path, subject: str, study: str, film: str) -> Path | None:
    home = folder / "files" / f"p{subject[:2]}" / f"p{subject}" / f"s{study}"
    return next((path for suffix in _SUFFIXES if (path := home / f"{film}{suffix}").is_file()), None)


LAYOUT = Layout("mimic-cxr-jpg", "MIMIC-CXR-JPG: mimic-cxr-2.0.0-chexpert.csv, -metadata.csv and files/", fits, read)
