import numpy as np
import pytest
from skimage.color import rgb2lab

from medcam.overlay.colour import LEVELS, positive_colours, signed_colours

# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
BLINDNESS = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def _lab(colours: np.ndarray) -> np.ndarray:
    return rgb2lab(colours[None].astype(np.float64) / 255.0)[0]


def _seen_with(kind: str, colours: np.ndarray) -> np.ndarray:
    share = colours.astype(np.float64) / 255.0
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    mixed = np.clip(linear @ np.array(BLINDNESS[kind]).T, 0.0, 1.0)
    shown = np.where(mixed <= 0.0031308, mixed * 12.92, 1.055 * mixed ** (1 / 2.4) - 0.055)
    return rgb2lab(shown[None])[0]


def test_positive_colours_rise_in_lightness_by_even_steps() -> None:
    lab = _lab(positive_colours())
    assert lab.shape == (LEVELS, 3)
    assert np.diff(lab[::4, 0]).min() > 0.0
    assert lab[-1, 0] - lab[0, 0] > 50.0
    steps = np.linalg.norm(np.diff(lab[::15], axis=0), axis=1)
    assert steps.max() / steps.min() < 1.35


@pytest.mark.parametrize("kind", BLINDNESS)
def test_positive_colours_stay_in_order_for_colour_blind_readers(kind: str) -> None:
    lightness = _seen_with(kind, positive_colours())[:, 0]
    assert np.diff(lightness[::8]).min() > 0.0


def test_signed_colours_rise_in_lightness_on_both_sides_of_a_neutral_middle() -> None:
    lab = _lab(signed_colours())
    half = LEVELS // 2
    assert np.abs(lab[half - 1 : half + 1, 1:]).max() < 3.0
    assert np.diff(lab[half::4, 0]).min() > 0.0
    assert np.diff(lab[half - 1 :: -4, 0]).min() > 0.0


@pytest.mark.parametrize("kind", BLINDNESS)
def test_for_and_against_are_told_apart_by_colour_blind_readers(kind: str) -> None:
    lab = _seen_with(kind, signed_colours())
    assert np.linalg.norm(lab[::-1][:64, 1:] - lab[:64, 1:], axis=1).min() > 20.0


def test_tables_cannot_be_changed() -> None:
    for table in (positive_colours(), signed_colours()):
        with pytest.raises(ValueError, match="read-only"):
            table[0, 0] = 1
