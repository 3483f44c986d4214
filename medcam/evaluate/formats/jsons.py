"""JSON that says where findings are: CheXlocalize's masks, outlines and points, and COCO."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from medcam.core.errors import InvalidValueError
from medcam.core.geometry import Box
from medcam.evaluate.formats.errors import PlacesError
from medcam.evaluate.formats.places import Collected, Contour, Place, PlacedFilm
from medcam.evaluate.formats.runs import Runs, runs_of
from medcam.evaluate.formats.tables import size_of

_PATIENT = re.compile(r"patient\d+")


def read_json(path: Path) -> tuple[str, list[PlacedFilm]]:
    """Reads a file of CheXlocalize's (`gt_segmentations_*`, `hb_segmentations_*`, `gt_annotations_*`) or COCO's.

    Returns:
        The format's name ("chexlocalize", "chexlocalize-outlines" or "coco") and the films.

    Raises:
        PlacesError: It cannot be read, is none of these, or an entry is broken.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise PlacesError(f"{path.name} cannot be read as JSON") from error
    try:
        return _by_kind(content)
    except (PlacesError, InvalidValueError) as error:
        raise PlacesError(f"{path.name}: {error.message}") from error
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise PlacesError(f"{path.name} is neither CheXlocalize's nor COCO's: {type(error).__name__}") from error


def write_chexlocalize(path: Path, films: Iterable[PlacedFilm], findings: Iterable[str]) -> None:
    """Writes masks as CheXlocalize's evaluation code reads them: every finding on every film, empty where absent.

    Raises:
        PlacesError: A film does not say its size.
    """
    wanted = tuple(findings)
    content = {film.image: {name: _encoded(film, film.places.get(name, Place())) for name in wanted} for film in films}
    path.write_text(json.dumps(content), encoding="utf-8")


def write_coco(path: Path, films: Iterable[PlacedFilm]) -> None:
    """Writes masks as COCO: one annotation per finding and film, in run lengths.

    Raises:
        PlacesError: A film does not say its size.
    """
    known = list(films)
    names = list(dict.fromkeys(name for film in known for name in film.places))
    annotations: list[dict[str, Any]] = []
    for number, film in enumerate(known, start=1):
        for name, place in film.places.items():
            mask = place.mask(*size_of(film))
            if mask.any():
                box, runs = Box.around(mask), Runs.of(mask)
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": number,
                        "category_id": names.index(name) + 1,
                        "bbox": [box.x, box.y, box.width, box.height],
                        "area": runs.area,
                        "iscrowd": 1,
                        "segmentation": {"size": list(mask.shape), "counts": runs.text()},
                    }
                )
    images = [
        {"id": number, "file_name": film.image, "height": film.height, "width": film.width}
        for number, film in enumerate(known, start=1)
    ]
    categories = [{"id": number, "name": name} for number, name in enumerate(names, start=1)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    path.write_text(json.dumps(content), encoding="utf-8")


def _by_kind(content: object) -> tuple[str, list[PlacedFilm]]:
    if not isinstance(content, dict) or not content:
        raise PlacesError("no object with an entry per film")
    if {"images", "annotations", "categories"} <= content.keys():
        return "coco", _coco(content)
    if any("img_size" in film for film in content.values()):
        return "chexlocalize-outlines", _outlines(content)
    return "chexlocalize", _masks(content)


def _encoded(film: PlacedFilm, place: Place) -> dict[str, object]:
    runs = Runs.of(place.mask(*size_of(film)))
    return {"size": [runs.height, runs.width], "counts": runs.text()}


def _masks(content: Mapping[str, Any]) -> list[PlacedFilm]:
    films = Collected()
    for number, (image, entries) in enumerate(content.items(), start=1):
        for finding, entry in entries.items():
            runs = runs_of(entry, f"film {number}, {finding}")
            place = Place(runs=(runs,)) if runs.area else Place()
            films.add(image, finding, place, (runs.height, runs.width), _patient(image))
    return list(films.films.values())


def _outlines(content: Mapping[str, Any]) -> list[PlacedFilm]:
    """Raw outlines hold positive findings alone; what they leave out was looked for and not found."""
    films = Collected()
    findings = dict.fromkeys(name for film in content.values() for name in film if name != "img_size")
    for image, entries in content.items():
        height, width = (int(side) for side in entries["img_size"])
        for finding in findings:
            place = Place(contours=tuple(_contour(points) for points in entries.get(finding, ())))
            films.add(image, finding, place, (height, width), _patient(image))
    return list(films.films.values())


def _coco(content: Mapping[str, Any]) -> list[PlacedFilm]:
    """An image without an annotation of a category counts as looked at and without it."""
    films = Collected()
    names = {entry["id"]: str(entry["name"]) for entry in content["categories"]}
    images = {entry["id"]: entry for entry in content["images"]}
    for image in images.values():
        for name in names.values():
            films.add(str(image["file_name"]), name, Place(), (int(image["height"]), int(image["width"])))
    for number, entry in enumerate(content["annotations"], start=1):
        image = images[entry["image_id"]]
        place = _coco_place(entry, f"annotation {number}")
        films.add(str(image["file_name"]), names[entry["category_id"]], place)
    return list(films.films.values())


def _coco_place(entry: Mapping[str, Any], what: str) -> Place:
    segmentation = entry.get("segmentation")
    score = None if entry.get("score") is None else float(entry["score"])
    if isinstance(segmentation, dict):
        return Place(runs=(runs_of(segmentation, what),), score=score)
    if segmentation:
        contours = tuple(_contour(np.reshape(points, (-1, 2))) for points in segmentation)
        return Place(contours=contours, score=score)
    return Place((Box(*(float(number) for number in entry["bbox"])),), score=score)


def _contour(points: object) -> Contour:
    contour = np.asarray(points, dtype=np.float64)
    if contour.ndim != 2 or contour.shape[1] != 2 or len(contour) < 3 or not np.isfinite(contour).all():
        raise PlacesError("an outline needs at least three points")
    return contour


def _patient(image: str) -> str:
    found = _PATIENT.match(image)
    return found.group() if found else ""
