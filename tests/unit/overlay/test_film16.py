import gzip
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from medcam.core.errors import InvalidValueError
from medcam.overlay.film16 import pack_film, unpack_film

SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)
LARGER = arrays.array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=12)
WHOLE = arrays.arrays(np.uint16, SHAPES)


@settings(max_examples=40, deadline=None)
@given(stored=WHOLE, offset=st.integers(-60_000, 60_000))
def test_whole_numbers_come_back_exactly(stored, offset):
    pixels = (stored.astype(np.int64) + offset).astype(np.float32)

    packed = pack_film(pixels)

    assert packed.exact
    assert packed.error == 0.0
    assert np.array_equal(unpack_film(packed), pixels)


@settings(max_examples=40, deadline=None)
@given(
    stored=arrays.arrays(np.uint16, LARGER, elements=st.integers(0, 4095)),
    slope=st.sampled_from([0.1, 0.25, 0.5, 0.0244140625, 1.6, 3.0]),
    offset=st.sampled_from([0.0, -1024.0, 12.5, -0.3]),
)
@example(stored=np.full((2, 2), 8, dtype=np.uint16), slope=0.0244140625, offset=-0.3)
@example(stored=np.full((2, 2), 514, dtype=np.uint16), slope=0.1, offset=-1024.0)
def test_stored_values_after_a_modality_lut_come_back_exactly(stored, slope, offset):
    # Both ends and two neighbours occur, as in any film of more than a few pixels: the range and the step show.
    stored.flat[:3] = 0, 4095, 1
    pixels = (stored * slope + offset).astype(np.float32)

    packed = pack_film(pixels)

    assert packed.exact
    assert np.array_equal(unpack_film(packed), pixels)


@settings(max_examples=40, deadline=None)
@given(pixels=arrays.arrays(np.float32, SHAPES, elements=st.floats(-1e6, 1e6, width=32)))
def test_the_stated_error_is_the_largest_and_within_half_a_step(pixels):
    packed = pack_film(pixels)
    back = unpack_film(packed).astype(np.float64)

    assert np.abs(back - pixels).max() == packed.error
    assert packed.exact == (packed.error == 0.0)
    assert packed.error <= 0.5 * packed.slope + np.spacing(np.float32(np.abs(pixels).max()))


def test_a_film_that_needs_more_than_sixteen_bits_says_so():
    pixels = np.linspace(0.0, 100_000.0, 90_000, dtype=np.float32).reshape(300, 300)

    packed = pack_film(pixels)

    assert not packed.exact
    assert 0.0 < packed.error <= 100_000.0 / 65535 / 2 * 1.01


def test_padding_is_as_dark_as_the_film_can_be():
    pixels = np.array([[-2000.0, 100.0], [300.0, 40.0]], dtype=np.float32)

    packed = pack_film(pixels, padding=np.array([[True, False], [False, False]]))

    assert unpack_film(packed).tolist() == [[40.0, 100.0], [300.0, 40.0]]


def test_a_film_of_real_size_is_exact_small_and_repeatable():
    rng = np.random.default_rng(3)
    smooth = np.cumsum(rng.normal(0, 1.5, (2500, 2048)), axis=1)
    pixels = np.rint(2048 + 30 * smooth / smooth.std() + rng.normal(0, 6, smooth.shape)).astype(np.float32)

    packed = pack_film(pixels)

    assert (packed.rows, packed.columns) == (2500, 2048)
    assert np.array_equal(unpack_film(packed), pixels)
    assert len(packed.data) < 2 * pixels.size * 0.75
    assert pack_film(pixels).data == packed.data


def test_what_is_no_film_is_refused():
    packed = pack_film(np.zeros((4, 5), np.float32))
    broken = (
        replace(packed, data=b"no gzip"),
        replace(packed, rows=5),
        replace(packed, data=packed.data[:-9]),
        replace(packed, data=gzip.compress(b"")),
    )
    for film in broken:
        with pytest.raises(InvalidValueError):
            unpack_film(film)
    with pytest.raises(InvalidValueError):
        pack_film(np.array([[np.nan]], np.float32))
    with pytest.raises(InvalidValueError):
        pack_film(np.zeros((0, 5), np.float32))
    with pytest.raises(InvalidValueError):
        pack_film(np.zeros((4, 5), np.float32), padding=np.zeros((5, 4), np.bool_))
