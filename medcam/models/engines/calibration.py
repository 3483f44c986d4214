"""The films that engines are checked on.

Phantoms with all kinds of findings and none, stored with the package so that every machine checks on the same pixels:
`python -m medcam.service.measure.calibration_films` made them. Noise alone would not do: it excites a network's
units evenly, and films do not.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from medcam.core.arrays import FloatArray
from medcam.core.card import InputRecipe
from medcam.models.preprocess import prepare_array

FILE = Path(__file__).with_name("calibration.npz")


@cache
def calibration_films() -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    """uint8 [films, height, width], denser is brighter."""
    with np.load(FILE) as stored:
        films = np.array(stored["films"], dtype=np.uint8)
    films.flags.writeable = False
    return films


def calibration_inputs(recipe: InputRecipe) -> FloatArray:
    """The films as a model takes them: float32 [films, channels, height, width]."""
    return np.stack([prepare_array(film / np.float32(255), recipe).values for film in calibration_films()])
