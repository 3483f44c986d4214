import numpy as np
import pytest

from medcam.core.errors import InvalidValueError
from medcam.evaluate.shortcuts.fill import control_masks, fill_in

SIDE = 65


def square(top: int, left: int, size: int) -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), dtype=bool)
    mask[top : top + size, left : left + size] = True
    return mask


def test_a_patch_on_even_ground_is_gone_without_a_trace():
    mask = square(20, 3, 12)

    assert fill_in(np.where(mask, 9.0, 0.25), mask) == pytest.approx(0.25)


def test_a_slope_goes_on_through_the_patch():
    slope = np.tile(np.linspace(0.0, 1.0, SIDE), (SIDE, 1))
    mask = square(20, 20, 16)

    filled = fill_in(np.where(mask, -5.0, slope), mask)

    assert np.abs(filled - slope).max() < 0.08
    assert np.array_equal(filled[~mask], slope[~mask].astype(np.float32))


def test_a_border_is_filled_from_inside():
    mask = ~square(6, 6, SIDE - 12)

    assert fill_in(np.where(mask, 1.0, -2.0), mask) == pytest.approx(-2.0)


def test_nothing_to_fill_and_nothing_to_fill_from():
    image = np.random.default_rng(0).random((SIDE, SIDE))

    assert np.array_equal(fill_in(image, np.zeros((SIDE, SIDE), bool)), image.astype(np.float32))
    with pytest.raises(InvalidValueError):
        fill_in(image, np.ones((SIDE, SIDE), bool))


def test_erasing_changes_a_linear_score_by_exactly_what_the_fill_says():
    rng = np.random.default_rng(1)
    weights, mask = rng.normal(size=(SIDE, SIDE)), square(8, 40, 10)
    image = np.where(mask, 3.0, 0.5)

    change = float((weights * (fill_in(image, mask) - image)).sum())

    assert change == pytest.approx(-2.5 * weights[mask].sum(), rel=1e-5)


def test_small_controls_have_the_same_shape_and_keep_clear():
    mask, avoid = square(2, 2, 8), square(0, 0, 40)

    controls = control_masks(mask, avoid, 4, seed=3)

    assert len(controls) == 4
    for control in controls:
        assert control.sum() == mask.sum()
        assert (control & (avoid | mask)).sum() <= 0.1 * mask.sum()
    assert len({control.tobytes() for control in controls}) > 1


def test_the_control_of_a_frame_is_the_band_inside_it():
    frame = ~square(4, 4, SIDE - 8)

    [band] = control_masks(frame, np.zeros_like(frame), 4, seed=0)

    assert band.sum() == frame.sum()
    assert not (band & frame).any()
    assert not band[square(12, 12, SIDE - 24)].any()


def test_a_picture_without_room_has_no_control():
    assert control_masks(square(0, 0, 4), np.ones((SIDE, SIDE), bool), 3, seed=0) == []
    assert control_masks(~square(0, 0, 20), np.zeros((SIDE, SIDE), bool), 3, seed=0) == []
