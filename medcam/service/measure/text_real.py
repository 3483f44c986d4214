"""Print on real films: beside what someone saw on them, and beside what DICOM files say themselves.

`films_with_text.csv` has a line per picture that was looked at: a film of NIH ChestX-ray14 as the data folder names it,
the part that was shown (the whole film, or its middle, where films rarely have print), and whether there is print on
it: letters, arrows, markers with or without a plate. Empty where nobody could say.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from medcam.core.arrays import BoolArray, FloatArray
from medcam.core.card import Interval
from medcam.core.errors import MedcamError, UsageError
from medcam.dicom import find_sources, load_radiograph, read_context
from medcam.dicom.deidentify import find_burned_in
from medcam.evaluate.localisation import mean_interval, share_interval
from medcam.service.phantoms.sample_data import sample_films
from medcam.service.training.picture_films import picture_film

LABELLED = Path(__file__).with_name("films_with_text.csv")
WHOLE, MIDDLE = "whole", "middle"
_MIDDLE = (0.22, 0.78)
"""Columns of the middle, as shares of the width; its rows run from the lower of the two to the bottom."""
_YES, _NO = "yes", "no"
LEARNT, BY_HAND, BOTH = NAMES = ("learnt", "hand-made", "both together")


@dataclass(frozen=True, eq=False)
class Detectors:
    """The learnt detector, the hand-made one, and their union.

    Args:
        learnt: bool [height, width] of a film [height, width], denser is brighter.
    """

    learnt: Callable[[FloatArray], BoolArray]

    def __call__(self, film: FloatArray) -> dict[str, BoolArray]:
        """Where each finds print, by its name."""
        learnt, by_hand = self.learnt(film), find_burned_in(film)
        return {LEARNT: learnt, BY_HAND: by_hand, BOTH: learnt | by_hand}


@dataclass(frozen=True, slots=True)
class RealFigures:
    """How one detector judges real films.

    Args:
        with_print: Pictures on which someone saw print.
        found: Share of them on which the detector finds some; None without such pictures.
        without: Pictures on which someone saw none.
        left_alone: Share of them on which it finds none; None without such pictures.
        covered: Share of the pictures without print that it covers; None without such pictures.
        wrong: Names and parts of the pictures that it judges otherwise.
    """

    with_print: int
    found: Interval | None
    without: int
    left_alone: Interval | None
    covered: Interval | None
    wrong: tuple[str, ...]


def real_figures(folder: Path, labels: Path, most: int, detectors: Detectors) -> dict[str, RealFigures]:
    """Figures by detector.

    Args:
        folder: Where the films lie.
        labels: The table.
        most: How many of its lines.
        detectors: What looks for print.

    Raises:
        UsageError: The table names a part or an answer that there is not.
    """
    rows = [row for row in label_rows(labels) if row["text"] and (folder / row["image"]).is_file()][:most]
    masks = [detectors(_shown(folder, row)) for row in rows]
    return {name: _figures(rows, [float(each[name].mean()) for each in masks]) for name in NAMES}


def label_rows(labels: Path) -> list[dict[str, str]]:
    """Lines of the table, as texts by column: `image`, `part`, `text`."""
    with labels.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if row["part"] not in (WHOLE, MIDDLE) or row["text"] not in (_YES, _NO, ""):
            raise UsageError(f"{labels.name} knows the parts {WHOLE} and {MIDDLE}, and the answers {_YES} and {_NO}")
    return rows


def attribute_figures(folder: Path | None, detectors: Detectors) -> dict[str, Any]:
    """Burned In Annotation (0028,0301) beside what is found.

    The standard asks for YES where print could identify a patient: a film with a side marker alone says NO, and a
    detector that finds the marker does not contradict it.

    Args:
        folder: DICOM files beside the sample data; None for the sample data alone.
        detectors: What looks for print.

    Returns:
        Per set: how many files there are, how many could be read, how many carry the attribute and say YES or NO; and
        per detector, on how many it finds print, by what they say.
    """
    sets = {"sample data": sample_films()}
    if folder is not None and folder.is_dir():
        sets["DICOM files"] = [path for path in find_sources([folder]) if path.suffix == ".dcm"]
    return {name: _attribute(paths, detectors) for name, paths in sets.items()}


def _attribute(paths: list[Path], detectors: Detectors) -> dict[str, Any]:
    films: list[tuple[str, dict[str, bool]]] = []
    for path in paths:
        try:
            said = str(read_context(path).dataset.get("BurnedInAnnotation") or "absent")
            masks = detectors(load_radiograph(path).pixels)
            films.append((said, {name: bool(mask.any()) for name, mask in masks.items()}))
        except MedcamError:
            continue
    answers = ("YES", "NO", "absent")
    return {
        "files": len(paths),
        "read": len(films),
        "say": {answer: sum(said == answer for said, _ in films) for answer in answers},
        "found": {
            name: {answer: sum(found[name] for said, found in films if said == answer) for answer in answers}
            for name in NAMES
        },
    }


def _shown(folder: Path, row: Mapping[str, str]) -> FloatArray:
    film = picture_film(folder / row["image"]).pixels
    if row["part"] == WHOLE:
        return film
    (height, width), (low, high) = film.shape, _MIDDLE
    return film[round(low * height) :, round(low * width) : round(high * width)]


def _figures(rows: list[dict[str, str]], covered: list[float]) -> RealFigures:
    shares = np.array(covered)
    there = np.array([row["text"] == _YES for row in rows], dtype=np.bool_)
    found = shares > 0
    wrong = [f"{row['image']} ({row['part']})" for row, is_wrong in zip(rows, found != there, strict=True) if is_wrong]
    return RealFigures(
        with_print=int(there.sum()),
        found=share_interval(found[there]) if there.any() else None,
        without=int((~there).sum()),
        left_alone=share_interval(~found[~there]) if not there.all() else None,
        covered=mean_interval(shares[~there]) if not there.all() else None,
        wrong=tuple(wrong),
    )
