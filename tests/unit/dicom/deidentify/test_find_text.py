"""A detector given from outside adds to what is blacked out, and sees the film as every detector does."""

from __future__ import annotations

import numpy as np
import pytest

from medcam.core.arrays import BoolArray
from medcam.dicom.deidentify import Profile, deidentify
from medcam.dicom.read import read_bytes

from ..builders import image
from .planting import SECRET, parsed, written


class Corner:
    """Takes the lower right corner of every film, and remembers the films."""

    def __init__(self) -> None:
        self.films: list[np.ndarray] = []

    def __call__(self, film: np.ndarray, padding: BoolArray | None = None) -> BoolArray:
        self.films.append(film)
        found = np.zeros(film.shape, np.bool_)
        found[-8:, -8:] = True
        return found


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_what_it_finds_is_blacked_out_too(photometric: str) -> None:
    stored = np.linspace(100, 4000, 64 * 64).reshape(64, 64).astype(np.uint16)
    data = written(image(stored, bits=12, PhotometricInterpretation=photometric))
    corner = Corner()
    result = deidentify(read_bytes(data, "film").dataset, SECRET, Profile(clean_pixels=True), corner)
    pixels = np.frombuffer(parsed(result.data).PixelData, "<u2").reshape(stored.shape)
    inverse = photometric == "MONOCHROME1"
    assert (pixels[-8:, -8:] == (stored.max() if inverse else stored.min())).all()
    assert np.array_equal(pixels[:-8], stored[:-8])
    assert result.blackened.pixels == 64
    [film] = corner.films
    assert (film[-1, -1] > film[0, 0]) != inverse


def test_it_is_not_asked_where_pixels_are_not_cleaned() -> None:
    stored = np.linspace(100, 4000, 64 * 64).reshape(64, 64).astype(np.uint16)
    corner = Corner()
    data = written(image(stored, bits=12, BurnedInAnnotation="NO"))
    result = deidentify(read_bytes(data, "film").dataset, SECRET, Profile(), corner)
    assert np.array_equal(np.frombuffer(parsed(result.data).PixelData, "<u2").reshape(stored.shape), stored)
    assert not corner.films
    assert result.blackened.pixels == 0
