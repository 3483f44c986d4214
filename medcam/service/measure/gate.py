"""How many films of a folder a model's out-of-distribution gate flags.

    python -m medcam.service.measure.gate FOLDER --model phantom

reads pictures (PNG, JPEG) and DICOM files below the folder and prints the share that is flagged, with its 95 % interval
over films, and quantiles of the score over the threshold. What cannot be read is counted apart, what is no image is
left out.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from medcam.core.errors import MedcamError, ModelError, NotAnImageError
from medcam.core.radiograph import Radiograph
from medcam.dicom import find_sources, load_radiograph
from medcam.evaluate.localisation import share_interval
from medcam.models.loaded import LoadedModel
from medcam.models.registry import load_model
from medcam.service.training.picture_films import SUFFIXES, picture_films

_log = logging.getLogger(__name__)


def measure_gate(model: LoadedModel, folder: Path) -> dict[str, object]:
    """Scores every film below a folder.

    Args:
        model: With a gate.
        folder: Pictures and DICOM files.

    Returns:
        Plain values for JSON: films, unreadable, flagged (value, low, high) and scores over the threshold.

    Raises:
        ModelError: The model has no gate (code `no-gate`).
    """
    threshold = model.card.out_of_distribution_threshold
    if threshold is None:
        raise ModelError(f"{model.card.name} has no gate", code="no-gate", next_step="Measure a model that has one.")
    unreadable: list[str] = []
    scores = np.array([_score(model, film) for film in _films(folder, unreadable)]) / threshold
    result: dict[str, object] = {"films": len(scores), "unreadable": len(unreadable), "threshold": threshold}
    if scores.size:
        flagged = share_interval(scores > 1.0)
        lowest, fifth, median, highest = np.percentile(scores, [0, 5, 50, 100])
        result["flagged"] = {"value": flagged.value, "low": flagged.low, "high": flagged.high}
        result["score_over_threshold"] = {"lowest": lowest, "5 %": fifth, "median": median, "highest": highest}
    return result


def _films(folder: Path, unreadable: list[str]) -> Iterator[Radiograph]:
    yield from picture_films(folder)
    for path in find_sources([folder]):
        if path.suffix.lower() not in SUFFIXES:
            try:
                yield load_radiograph(path)
            except NotAnImageError:
                continue
            except MedcamError as error:
                unreadable.append(error.code)


def _score(model: LoadedModel, film: Radiograph) -> float:
    values = model.prepare(film).values[None]
    scores = model.out_of_distribution(values, model.predict(values))
    assert scores is not None
    return float(scores[0])


def main(arguments: list[str] | None = None) -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(description="Measure the out-of-distribution gate on a folder of films.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="phantom", help="name or folder of a model")
    given = parser.parse_args(arguments)
    _log.info("%s", json.dumps(measure_gate(load_model(given.model), given.folder), indent=2))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
