from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

from medcam.core.activation import ActivationMap
from medcam.core.geometry import GridTransform

Blob = tuple[float, float, float, float]
MakeMap = Callable[..., ActivationMap]


@pytest.fixture
def make_map() -> MakeMap:
    """A map with Gaussian blobs (source x, source y, sigma in source pixels, height) on a base."""

    def make(transform: GridTransform, *blobs: Blob, base: float = 0.0, bias: float = 0.0) -> ActivationMap:
        values = np.full((transform.height, transform.width), base, dtype=np.float64)
        for row in range(transform.height):
            for column in range(transform.width):
                x, y = transform.to_source(column + 0.5, row + 0.5)
                for blob_x, blob_y, sigma, height in blobs:
                    values[row, column] += height * np.exp(-((x - blob_x) ** 2 + (y - blob_y) ** 2) / (2 * sigma**2))
        return ActivationMap(values, bias, transform)

    return make


@pytest.fixture(scope="package", autouse=True)
def one_thread() -> Iterator[None]:
    """Networks this small are done before a second thread has begun."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
