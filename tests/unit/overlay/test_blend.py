import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medcam.core.errors import InvalidValueError
from medcam.overlay.blend import Shading


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), threshold=st.floats(0.0, 4.0), scale=st.floats(0.1, 9.0), signed=st.booleans())
def test_the_film_is_untouched_up_to_the_threshold(seed: int, threshold: float, scale: float, signed: bool) -> None:
    rng = np.random.default_rng(seed)
    grey = rng.integers(0, 256, (12, 17), dtype=np.uint8)
    values = rng.normal(0, 2, (12, 17)).astype(np.float32)
    picture = Shading(scale, threshold, signed).blend(grey, values)
    under = (np.abs(values) if signed else values) <= threshold
    assert np.array_equal(picture[under], np.repeat(grey[under][:, None], 3, axis=1))
    # The faintest evidence has the faintest colour, which rounding may take away; a tenth of the scale has not.
    coloured = picture[(np.abs(values) if signed else values) > max(threshold, 0.1 * scale)]
    assert (coloured.max(axis=1) > coloured.min(axis=1)).all()


def test_stronger_evidence_is_more_opaque_and_never_hides_the_film() -> None:
    values = np.tile(np.linspace(0.01, 10.0, 50, dtype=np.float32), (2, 1))
    dark = Shading(10.0).blend(np.zeros((2, 50), np.uint8), values).astype(float)
    light = Shading(10.0).blend(np.full((2, 50), 255, np.uint8), values).astype(float)
    through = (light - dark).mean(axis=2)[0] / 255.0
    assert (np.diff(through) <= 0.005).all()
    assert through[0] > 0.8
    assert 0.4 < through[-1] < 0.6


def test_one_value_has_one_colour_in_every_image() -> None:
    grey = np.full((4, 4), 90, np.uint8)
    faint, strong = np.zeros((4, 4), np.float32), np.zeros((4, 4), np.float32)
    faint[1, 1] = strong[2, 2] = 3.0
    strong[0, 0] = 50.0
    shading = Shading(10.0)
    assert np.array_equal(shading.blend(grey, faint)[1, 1], shading.blend(grey, strong)[2, 2])


def test_over_the_scale_is_the_end_of_the_scale() -> None:
    picture = Shading(2.0).blend(np.full((1, 2), 90, np.uint8), np.array([[2.0, 7.0]], np.float32))
    assert np.array_equal(picture[0, 0], picture[0, 1])


def test_evidence_against_is_blue_and_only_when_asked_for() -> None:
    grey, values = np.full((1, 1), 90, np.uint8), np.array([[-5.0]], np.float32)
    assert Shading(5.0).blend(grey, values).tolist() == [[[90, 90, 90]]]
    red, _, blue = Shading(5.0, signed=True).blend(grey, values)[0, 0]
    assert blue > red


@pytest.mark.parametrize(("scale", "threshold"), [(0.0, 0.0), (-1.0, 0.0), (float("nan"), 0.0), (1.0, -0.1)])
def test_refuses_impossible_scales(scale: float, threshold: float) -> None:
    with pytest.raises(InvalidValueError):
        Shading(scale, threshold)


def test_refuses_a_map_of_another_size() -> None:
    with pytest.raises(InvalidValueError, match="does not lie"):
        Shading(1.0).blend(np.zeros((3, 3), np.uint8), np.zeros((3, 4), np.float32))
