"""RSNA Pneumonia Detection Challenge: `stage_2_train_labels.csv` and DICOM files that are named by `patientId`."""

from __future__ import annotations

from medcam.evaluate.formats.tables import PUBLISHED_SIDE, RSNA_FINDING, read_table
from medcam.service.training.layouts.film_files import by_name
from medcam.service.training.layouts.listing import ABSENT, PRESENT, Layout, ListedFilm, Listing
from medcam.service.training.layouts.tables import find_table, folder_of, needed_table

_COLUMNS = ("patientId", "x", "y", "width", "height", "Target")


def fits(source: str) -> bool:
    """Whether there is a table with its columns."""
    return find_table(source, *_COLUMNS) is not None


def read(source: str) -> Listing:
    """Reads it: one finding, with the readers' boxes."""
    files = by_name(folder_of(source))
    films = [
        ListedFilm(
            path=files.get(placed.image),
            name=placed.image,
            labels={RSNA_FINDING: PRESENT if placed.places[RSNA_FINDING].said else ABSENT},
            patient=placed.image,
            places=placed.places,
            size=(PUBLISHED_SIDE, PUBLISHED_SIDE),
        )
        for placed in read_table(needed_table(source, LAYOUT.name, *_COLUMNS))[1]
    ]
    note = "The table calls every film a patient of its own: films of one person may lie on both sides of a split."
    return Listing(LAYOUT.name, (RSNA_FINDING,), tuple(films), notes=(note,))


LAYOUT = Layout("rsna", "RSNA Pneumonia Detection Challenge: stage_2_train_labels.csv and DICOM files", fits, read)
