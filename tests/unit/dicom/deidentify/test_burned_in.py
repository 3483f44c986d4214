"""Text that stands out is found whole in several fonts and polarities; films without text stay as they are.

Large smoothed print and several boxed lines on one film are found in part only: docs/how-to/deidentify.md says so.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset

from medcam.dicom.deidentify import Profile, find_burned_in
from medcam.dicom.deidentify.text_lines import find_text_lines
from medcam.phantom import render, sample_case

from ..builders import image
from .planting import parsed, through, written

Film = npt.NDArray[np.float32]
SIDE, TOP, LEFT = 768, 24, 30
TEXT = "DOE^JANE 1950"


@pytest.fixture(scope="module", params=[0, 4])
def chest(request: pytest.FixtureRequest) -> Film:
    """A phantom without markers and text."""
    case = sample_case(31, request.param)
    case = replace(case, distractors=tuple(item for item in case.distractors if item.kind not in ("marker", "text")))
    return render(case, SIDE, truth=False).linear


def outlined(text: str, size: int) -> Film:
    font = ImageFont.load_default(size)
    box = font.getbbox(text)
    picture = Image.new("L", (round(box[2]) + 2, round(box[3]) + 2))
    ImageDraw.Draw(picture).text((0, 0), text, fill=255, font=font)
    return np.asarray(picture, dtype=np.float32) / 255


def dotted(text: str, times: int) -> Film:
    font = ImageFont.load_default_imagefont()
    box = font.getbbox(text)
    picture = Image.new("L", (round(box[2]), round(box[3])))
    ImageDraw.Draw(picture).text((0, 0), text, fill=255, font=font)
    return np.kron(np.asarray(picture, dtype=np.float32) / 255, np.ones((times, times), np.float32))


def opencv(text: str, font: int, scale: float, thickness: int, kind: int) -> Film:
    (width, height), below = cv2.getTextSize(text, font, scale, thickness)
    picture = np.zeros((height + below + 8, width + 8), np.uint8)
    cv2.putText(picture, text, (4, height + 4), font, scale, 255, thickness, kind)
    return picture.astype(np.float32) / 255


FONTS = {
    "outline, small": outlined(TEXT, 15),
    "outline, medium": outlined(TEXT, 24),
    "dots": dotted(TEXT, 1),
    "large dots": dotted(TEXT, 2),
    "simplex": opencv(TEXT, cv2.FONT_HERSHEY_SIMPLEX, 0.6, 1, cv2.LINE_8),
    "duplex, smoothed": opencv(TEXT, cv2.FONT_HERSHEY_DUPLEX, 0.8, 2, cv2.LINE_AA),
    "complex": opencv(TEXT, cv2.FONT_HERSHEY_COMPLEX, 1.0, 2, cv2.LINE_8),
    "triplex, smoothed": opencv(TEXT, cv2.FONT_HERSHEY_TRIPLEX, 0.7, 1, cv2.LINE_AA),
    "side marker": outlined("R", 60),
}
POLARITIES = {
    "bright": (1.0, None),
    "dark": (0.0, None),
    "bright in a dark box": (1.0, 0.0),
    "dark in a bright box": (0.0, 1.0),
}


def burned(film: Film, ink: Film, value: float, box: float | None, top: int = TOP, left: int = LEFT) -> np.ndarray:
    """Burns text in, in place; returns where its ink is."""
    rows, columns = slice(top, top + ink.shape[0]), slice(left, left + ink.shape[1])
    if box is not None:
        film[top - 6 : rows.stop + 6, left - 6 : columns.stop + 6] = box
    film[rows, columns] = (1 - ink) * film[rows, columns] + ink * value
    where = np.zeros(film.shape, bool)
    where[rows, columns] = ink >= 0.5
    return where


def surroundings(where: np.ndarray) -> np.ndarray:
    """The box of the ink, its own box, and as much as one more letter needs on all sides."""
    rows, columns = np.flatnonzero(where.any(1)), np.flatnonzero(where.any(0))
    margin = 24 + min(np.ptp(rows), np.ptp(columns))
    around = np.zeros_like(where)
    around[max(0, rows[0] - margin) : rows[-1] + margin + 1, max(0, columns[0] - margin) : columns[-1] + margin + 1] = (
        True
    )
    return around


@pytest.mark.parametrize("polarity", POLARITIES)
@pytest.mark.parametrize("font", FONTS)
def test_text_is_covered_whole_and_little_else(chest: Film, font: str, polarity: str) -> None:
    value, box = POLARITIES[polarity]
    film = chest.copy()
    if box is None:  # a grey ground, on which the ink stands out
        film[: TOP + 90, : LEFT + 420] = film[: TOP + 90, : LEFT + 420] * 0.2 + (0.3 if value else 0.6)
    before = find_burned_in(film)
    where = burned(film, FONTS[font], value, box)
    found = find_burned_in(film)
    assert found[where].all()
    assert (found & ~before & ~surroundings(where)).sum() == 0


def test_a_chest_without_text_is_left_alone(chest: Film) -> None:
    assert not find_burned_in(chest).any()
    assert not find_burned_in(-chest).any()
    assert not find_text_lines(chest).any()


def test_text_in_the_middle_of_the_chest_takes_no_anatomy_along(chest: Film) -> None:
    film = chest.copy()
    where = burned(film, FONTS["outline, medium"], 1.0, 0.0, SIDE // 2, SIDE // 3)
    found = find_burned_in(film)
    assert found[where].all()
    assert not (found & ~surroundings(where)).any()
    assert found.mean() < 0.03


def test_noise_stripes_and_flat_films_hold_no_text() -> None:
    random = np.random.default_rng(3)
    noise = (0.5 + 0.02 * random.standard_normal((300, 400))).astype(np.float32)
    slope = np.linspace(0, 1, 400, dtype=np.float32)[None].repeat(300, axis=0)
    wire = cv2.GaussianBlur(cv2.line(slope.copy(), (10, 290), (390, 20), 1.0, 5), (0, 0), 2)
    for film in (np.zeros((300, 400), np.float32), noise, slope, wire):
        assert not find_burned_in(film).any()


def test_the_unit_of_the_film_does_not_matter(chest: Film) -> None:
    film = chest.copy()
    burned(film, FONTS["outline, medium"], 1.0, 0.0)
    assert np.array_equal(find_burned_in(film), find_burned_in(film * 4095 - 1024))


def test_padding_does_not_count_for_the_range_but_text_in_it_does(chest: Film) -> None:
    padding = np.zeros(chest.shape, bool)
    padding[:, :250] = True
    film = np.where(padding, np.float32(-20), chest)
    where = burned(film, FONTS["outline, medium"], 1.0, None)
    assert find_burned_in(film, padding)[where].all()


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_what_is_found_becomes_the_black_of_the_film_and_the_rest_stays(chest: Film, photometric: str) -> None:
    film = chest.copy()
    where = burned(film, FONTS["outline, medium"], 1.0, 0.0)
    stored = np.round((1 - film if photometric == "MONOCHROME1" else film) * 4095).astype(np.uint16)
    dataset: Dataset = image(stored, bits=12, PhotometricInterpretation=photometric, BurnedInAnnotation="YES")
    result = parsed(through(written(dataset), Profile(clean_pixels=True)))
    pixels = np.frombuffer(result.PixelData, "<u2").reshape(stored.shape)
    black = stored.max() if photometric == "MONOCHROME1" else stored.min()
    assert (pixels[where] == black).all()
    away = ~surroundings(where)
    assert np.array_equal(pixels[away], stored[away])
    assert result.BurnedInAnnotation == "NO"


def test_colour_films_are_cleaned_in_all_channels(chest: Film) -> None:
    film = chest.copy()
    where = burned(film, FONTS["outline, medium"], 1.0, 0.0)
    stored = np.repeat(np.round(film * 255).astype(np.uint8)[..., None], 3, axis=2)
    result = parsed(through(written(image(stored, BurnedInAnnotation="YES")), Profile(clean_pixels=True)))
    pixels = np.frombuffer(result.PixelData, np.uint8).reshape(stored.shape)
    assert (pixels[where] == stored.min()).all()
