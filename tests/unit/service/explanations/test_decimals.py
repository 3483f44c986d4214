"""Float32 values as short decimals: the same as NumPy finds one by one."""

from __future__ import annotations

import numpy as np
import pytest

from medcam.service.explanations.decimals import shortest_decimals


@pytest.mark.parametrize("scale", [1e-20, 1e-7, 1e-3, 1.0, 37.0, 1e5, 1e20])
def test_they_are_numpys_shortest_and_give_the_same_float32(scale: float) -> None:
    values = (np.random.default_rng(3).normal(size=(50, 40)) * scale).astype(np.float32)
    found = shortest_decimals(values)
    assert found == [float(str(value)) for value in values.ravel()]
    assert (np.array(found, dtype=np.float32) == values.ravel()).all()


def test_round_numbers_stay_round_and_zero_keeps_its_sign() -> None:
    values = np.array([0.0, -0.0, 1.0, -2.5, 0.1, 123456.0, 999999.9, 0.99999994, 1e-5], dtype=np.float32)
    found = shortest_decimals(values)
    assert [str(value) for value in found] == [
        "0.0",
        "-0.0",
        "1.0",
        "-2.5",
        "0.1",
        "123456.0",
        "999999.9",
        "0.99999994",
        "1e-05",
    ]
