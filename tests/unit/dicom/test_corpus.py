"""Many files of others, and random damage: a radiograph or an error of ours, never anything else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydicom.data import get_testdata_files

from medcam.core.errors import MedcamError
from medcam.core.radiograph import Radiograph
from medcam.dicom import (
    load_radiograph,
    radiograph_from_dataset,
    read,
)

from .builders import STORED, code_of, encoded, frame, image, with_codec

CORPUS = [Path(name) for name in get_testdata_files() if Path(name).is_file()]


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_every_file_shipped_with_pydicom_loads_or_is_refused(path: Path) -> None:
    try:
        radiograph = load_radiograph(path)
    except MedcamError:
        return  # any other exception fails the test
    assert radiograph.display().shape == radiograph.pixels.shape


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("test-SR.dcm", "not-an-image"),
        ("rtplan.dcm", "not-an-image"),
        ("MR_truncated.dcm", "truncated-pixel-data"),
        ("examples_ybr_color.dcm", "multi-frame"),
        ("README.txt", "not-dicom"),
        ("DICOMDIR", "not-an-image"),
    ],
)
def test_some_of_them_are_refused_for_the_right_reason(name: str, code: str) -> None:
    assert code_of(next(path for path in CORPUS if path.name == name)) == code


def test_most_of_them_load() -> None:
    loaded = 0
    for path in CORPUS:
        try:
            load_radiograph(path)
        except MedcamError:
            continue
        loaded += 1
    assert loaded >= 77


@pytest.mark.parametrize(
    "names", [("MR_small.dcm", "MR_small_RLE.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm")]
)
def test_the_same_image_in_several_encodings(names: tuple[str, ...]) -> None:
    films = [load_radiograph(next(path for path in CORPUS if path.name == name)) for name in names]
    for other in films[1:]:
        np.testing.assert_array_equal(films[0].pixels, other.pixels)


SMALL = {
    "explicit": encoded(image(STORED[:6, :5], bits=12, WindowCenter="100", WindowWidth="50")),
    "implicit, no meta": encoded(image(STORED[:6, :5], bits=12), meta=False, implicit=True),
    "RLE": encoded(
        with_codec(
            image(STORED[:6, :5], bits=12), "1.2.840.10008.1.2.5", frame("1.2.840.10008.1.2.5", STORED[:6, :5], 12)
        )
    ),
}


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(sorted(SMALL)),
    changes=st.lists(st.tuples(st.integers(0, 1500), st.integers(0, 255)), min_size=1, max_size=12),
    cut=st.none() | st.integers(0, 1500),
)
@example(name="explicit", changes=[(132 + 90, ord("L"))], cut=None)
def test_random_damage_ends_in_a_radiograph_or_an_error_of_ours(
    name: str, changes: list[tuple[int, int]], cut: int | None
) -> None:
    data = bytearray(SMALL[name])
    for position, value in changes:
        data[position % len(data)] = value
    try:
        result = radiograph_from_dataset(read.parse(bytes(data[:cut])))
    except MedcamError:
        return  # any other exception fails the test
    assert isinstance(result, Radiograph)
    assert np.isfinite(result.display()).all()
