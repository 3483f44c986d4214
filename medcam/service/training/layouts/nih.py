"""NIH ChestX-ray14: `Data_Entry_2017*.csv`, images in any folders below, and perhaps `BBox_List_2017*.csv`.

Wang et al., "ChestX-ray8: Hospital-scale Chest X-ray Database and Benchmarks on Weakly-Supervised Classification and
Localization of Common Thorax Diseases", CVPR 2017.
"""

from __future__ import annotations

from collections.abc import Mapping

from medcam.evaluate.formats.places import Place, PlacedFilm
from medcam.evaluate.formats.tables import read_table
from medcam.service.training.layouts.film_files import by_name
from medcam.service.training.layouts.listing import ABSENT, NO_FINDING, PRESENT, Layout, ListedFilm, Listing
from medcam.service.training.layouts.tables import find_table, folder_of, needed_table, rows_of

_COLUMNS = ("Image Index", "Finding Labels", "Patient ID")
_BOXES = ("Image Index", "Finding Label")
_NAMES = {"Infiltrate": "Infiltration"}
"""The list of boxes has a name of its own for one finding."""


def fits(source: str) -> bool:
    """Whether there is a table with its columns."""
    return find_table(source, *_COLUMNS) is not None


def read(source: str) -> Listing:
    """Reads it: a finding that is not among a film's labels is absent."""
    folder = folder_of(source)
    table = needed_table(source, LAYOUT.name, *_COLUMNS)
    rows = list(rows_of(table))
    named = [[label for label in row["Finding Labels"].split("|") if label] for row in rows]
    findings = tuple(sorted({label for labels in named for label in labels if label.lower() not in NO_FINDING}))
    files, boxes = by_name(folder), _boxes(str(folder))
    films = []
    for row, labels in zip(rows, named, strict=True):
        image = row["Image Index"]
        placed = boxes.get(image)
        films.append(
            ListedFilm(
                path=files.get(image),
                name=image,
                labels={name: PRESENT if name in labels else ABSENT for name in findings},
                patient=row["Patient ID"],
                places={} if placed is None else _renamed(placed.places),
                size=None if placed is None or placed.height is None else (placed.height, placed.width or 0),
            )
        )
    note = "Labels were mined from reports by the publisher; a finding that is not named counts as absent."
    return Listing(LAYOUT.name, findings, tuple(films), notes=(note,))


def _boxes(folder: str) -> Mapping[str, PlacedFilm]:
    table = find_table(folder, *_BOXES)
    return {} if table is None else {film.image: film for film in read_table(table)[1]}


def _renamed(places: Mapping[str, Place]) -> dict[str, Place]:
    return {_NAMES.get(name, name): place for name, place in places.items()}


LAYOUT = Layout("nih", "NIH ChestX-ray14: Data_Entry_2017*.csv, BBox_List_2017*.csv and images", fits, read)
