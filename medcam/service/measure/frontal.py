"""How well films without telling attributes are chosen by their look.

    python -m medcam.service.measure.frontal --films FOLDER --others FOLDER

reads pictures and DICOM files below both folders, the first of frontal chest films, the second of anything else, and
prints which share of each is taken for something else than a chest film, with its 95 % interval over films. Images
smaller than 64 pixels and those that cannot be read are left out. Files of the second folder that say themselves that
they are frontal chest films are left out too.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from medcam.anatomy import UNLIKELY, chest_likeness
from medcam.core.errors import MedcamError
from medcam.core.radiograph import Radiograph
from medcam.dicom import Answer, find_sources, frontal_chest, load_radiograph
from medcam.evaluate.localisation import share_interval
from medcam.service.training.picture_films import SUFFIXES, picture_films

SMALLEST = 64
_log = logging.getLogger(__name__)


def measure_frontal(films: Path, others: Path | None) -> dict[str, object]:
    """Scores the films of two folders.

    Args:
        films: Frontal chest films.
        others: Anything else; None to leave it out.

    Returns:
        Plain values for JSON: per kind how many, the share passed over (value, low, high) and quantiles of likeness.
    """
    result: dict[str, object] = {"unlikely_below": UNLIKELY, "frontal": _summary(_images(films))}
    if others is not None:
        strange = (film for film in _images(others) if frontal_chest(film).answer is not Answer.YES)
        result["other"] = _summary(strange)
    return result


def _summary(films: Iterator[Radiograph]) -> dict[str, object]:
    likeness = np.array([chest_likeness(film) for film in films])
    if not likeness.size:
        return {"films": 0}
    passed = share_interval(likeness < UNLIKELY)
    return {
        "films": likeness.size,
        "passed_over": {"value": passed.value, "low": passed.low, "high": passed.high},
        "likeness": dict(zip(("1 %", "5 %", "median", "95 %"), np.percentile(likeness, [1, 5, 50, 95]), strict=True)),
    }


def _images(folder: Path) -> Iterator[Radiograph]:
    """Each image once, however often it is there in other codings."""
    seen: set[bytes] = set()
    for film in _films(folder):
        key = film.pixels[::7, ::7].tobytes()
        if min(film.pixels.shape) >= SMALLEST and key not in seen:
            seen.add(key)
            yield film


def _films(folder: Path) -> Iterator[Radiograph]:
    yield from picture_films(folder)
    for path in find_sources([folder]):
        if path.suffix.lower() not in SUFFIXES:
            try:
                yield load_radiograph(path)
            except MedcamError:
                continue


def main(arguments: list[str] | None = None) -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(description="Measure how films without telling attributes are chosen.")
    parser.add_argument("--films", type=Path, required=True, help="folder of frontal chest films")
    parser.add_argument("--others", type=Path, help="folder of anything else")
    given = parser.parse_args(arguments)
    _log.info("%s", json.dumps(measure_frontal(given.films, given.others), indent=2))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
