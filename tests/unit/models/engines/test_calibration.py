"""The films that engines are checked on."""

from __future__ import annotations

import numpy as np

from medcam.core.card import InputRecipe
from medcam.models.engines.calibration import calibration_films, calibration_inputs
from medcam.service.measure.calibration_films import PRESENT, SIDE, calibration_film


def test_they_are_the_phantoms_that_they_are_said_to_be() -> None:
    films = calibration_films()
    assert films.shape == (len(PRESENT), SIDE, SIDE)
    for index in (0, len(PRESENT) - 1):
        made = calibration_film(index).astype(np.int16)
        # Another processor or SciPy may round a grey value to its neighbour.
        assert np.abs(made - films[index]).max() <= 2


def test_they_are_unlike_noise_and_unlike_each_other() -> None:
    films = calibration_films().astype(np.float64)
    for film in films:
        neighbours = np.corrcoef(film[:, :-1].ravel(), film[:, 1:].ravel())[0, 1]
        assert neighbours > 0.95
    similar = np.corrcoef(films.reshape(len(films), -1)) - np.eye(len(films))
    assert similar.max() < 0.999


def test_they_are_prepared_by_the_models_recipe() -> None:
    for recipe in (InputRecipe(64, 64), InputRecipe(96, 80, channels=3, fit="crop"), InputRecipe(400, 400)):
        inputs = calibration_inputs(recipe)
        assert inputs.shape == (len(PRESENT), recipe.channels, recipe.height, recipe.width)
        assert inputs.dtype == np.float32
        assert abs(float(inputs.mean())) < 0.01
