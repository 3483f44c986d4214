"""Tables of boxes and masks: NIH's box list, RSNA stage 2, SIIM-ACR, and a plain table of boxes."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from medcam.core.errors import InvalidValueError
from medcam.core.geometry import Box
from medcam.evaluate.formats.errors import PlacesError
from medcam.evaluate.formats.places import Collected, Place, PlacedFilm
from medcam.evaluate.formats.runs import Runs

Row = Mapping[str, str]
PUBLISHED_SIDE = 1024
"""Rows and columns of the films that NIH, RSNA and SIIM published."""
RSNA_FINDING = "Lung Opacity"
SIIM_FINDING = "Pneumothorax"
NIH_PATIENT_DIGITS = 8
PLAIN_COLUMNS = ("image", "finding", "x", "y", "width", "height", "image_width", "image_height", "patient_id", "score")
_BOX = ("x", "y", "width", "height")
_NIH_BOX = ("Bbox [x", "y", "w", "h]")


def read_table(path: Path) -> tuple[str, list[PlacedFilm]]:
    """Reads a table; its columns say which one it is.

    Returns:
        The format's name ("nih", "rsna", "siim" or "boxes") and the films, in the order of the table.

    Raises:
        PlacesError: It cannot be read, is none of these, or a row is broken; the message names the row, not the film.
    """
    columns, rows = _rows(path)
    for name, (needed, read) in _FORMATS.items():
        if set(needed) <= set(columns):
            return name, _films(rows, read, path.name)
    raise PlacesError(f"{path.name} has the columns of no known format: {', '.join(columns[:10])}")


def write_boxes(path: Path, films: Iterable[PlacedFilm]) -> None:
    """Writes films as a plain table of boxes; a mask is written as the tightest box around it.

    Raises:
        PlacesError: A film with a mask does not say its size.
    """
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(PLAIN_COLUMNS)
        for film in films:
            for finding, place in film.places.items():
                size = (film.width or "", film.height or "", film.patient, "" if place.score is None else place.score)
                boxes = _boxes(film, place)
                for box in boxes:
                    table.writerow([film.image, finding, box.x, box.y, box.width, box.height, *size])
                if not boxes:
                    table.writerow([film.image, finding, "", "", "", "", *size])


def write_nih(path: Path, films: Iterable[PlacedFilm]) -> None:
    """Writes the boxes of films as NIH's box list, which knows no negatives: absent findings are left out."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("Image Index", "Finding Label", *_NIH_BOX))
        for film in films:
            for finding, place in film.places.items():
                table.writerows([film.image, finding, b.x, b.y, b.width, b.height] for b in _boxes(film, place))


def write_rsna(path: Path, films: Iterable[PlacedFilm], finding: str = RSNA_FINDING) -> None:
    """Writes the boxes of one finding as the table of RSNA stage 2."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("patientId", *_BOX, "Target"))
        for film in films:
            if finding in film.places:
                boxes = _boxes(film, film.places[finding])
                table.writerows([film.image, b.x, b.y, b.width, b.height, 1] for b in boxes)
                if not boxes:
                    table.writerow([film.image, "", "", "", "", 0])


def write_siim(path: Path, films: Iterable[PlacedFilm], finding: str = SIIM_FINDING) -> None:
    """Writes the masks of one finding as the table of SIIM-ACR, one row a film, -1 where it is absent.

    Raises:
        PlacesError: A film does not say its size.
    """
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("ImageId", "EncodedPixels"))
        for film in films:
            if finding in film.places:
                table.writerow((film.image, Runs.of(film.places[finding].mask(*size_of(film))).siim() or "-1"))


def size_of(film: PlacedFilm) -> tuple[int, int]:
    """Height and width of a film.

    Raises:
        PlacesError: The film does not say them.
    """
    if film.height is None or film.width is None:
        raise PlacesError("a mask needs the size of its film, which is not known")
    return film.height, film.width


def _boxes(film: PlacedFilm, place: Place) -> tuple[Box, ...]:
    if not place.said or (place.boxes and not (place.runs or place.contours or place.picture)):
        return place.boxes
    mask = place.mask(*size_of(film))
    return (Box.around(mask),) if mask.any() else ()


def _rows(path: Path) -> tuple[Sequence[str], list[Row]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file, skipinitialspace=False)
            # NIH's list has a bracket of its own around the four numbers, and empty columns at the end.
            columns = [(name or "").strip() for name in table.fieldnames or ()]
            table.fieldnames = columns
            return columns, [{key: (value or "").strip() for key, value in row.items() if key} for row in table]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PlacesError(f"{path.name} cannot be read as a table") from error


def _films(rows: list[Row], read: Callable[[Row, Collected], None], name: str) -> list[PlacedFilm]:
    collected = Collected()
    for number, row in enumerate(rows, start=2):
        try:
            read(row, collected)
        except (PlacesError, InvalidValueError) as error:
            raise PlacesError(f"{name}, row {number}: {error.message}") from error
        except (KeyError, ValueError, OverflowError, AttributeError, TypeError) as error:
            raise PlacesError(f"{name}, row {number}: a value is missing or no number") from error
    return list(collected.films.values())


def _nih(row: Row, films: Collected) -> None:
    image = _named(row["Image Index"])
    box = Box(*(float(row[column]) for column in _NIH_BOX))
    size = (PUBLISHED_SIDE, PUBLISHED_SIDE)
    films.add(image, _named(row["Finding Label"]), Place((box,)), size, image[:NIH_PATIENT_DIGITS])


def _rsna(row: Row, films: Collected) -> None:
    image = _named(row["patientId"])
    present = int(float(row["Target"]))
    place = Place((Box(*(float(row[column]) for column in _BOX)),)) if present else Place()
    films.add(image, RSNA_FINDING, place, (PUBLISHED_SIDE, PUBLISHED_SIDE), image)


def _siim(row: Row, films: Collected) -> None:
    text = row["EncodedPixels"]
    size = (PUBLISHED_SIDE, PUBLISHED_SIDE)
    place = Place() if text in ("-1", "") else Place(runs=(Runs.from_siim(*size, text),))
    films.add(_named(row["ImageId"]), SIIM_FINDING, place, size)


def _plain(row: Row, films: Collected) -> None:
    numbers = [row[column] for column in _BOX]
    score = float(row["score"]) if row.get("score") else None
    if score is not None and not math.isfinite(score):
        raise ValueError("score")
    place = Place(score=score) if not any(numbers) else Place((Box(*map(float, numbers)),), score=score)
    width, height = row.get("image_width", ""), row.get("image_height", "")
    size = (int(float(height)), int(float(width))) if width and height else None
    if size is not None and min(size) < 1:
        raise ValueError("size")
    films.add(_named(row["image"]), _named(row["finding"]), place, size, row.get("patient_id", ""))


def _named(text: str) -> str:
    if not text:
        raise PlacesError("a name is missing")
    return text


_FORMATS: Mapping[str, tuple[Sequence[str], Callable[[Row, Collected], None]]] = {
    "nih": (("Image Index", "Finding Label", *_NIH_BOX), _nih),
    "rsna": (("patientId", *_BOX, "Target"), _rsna),
    "siim": (("ImageId", "EncodedPixels"), _siim),
    "boxes": (("image", "finding", *_BOX), _plain),
}
