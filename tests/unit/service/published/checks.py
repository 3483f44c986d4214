"""What the tests of published models share: sizes, films, closeness, and the code of a refusal."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from medcam.core.errors import MedcamError

SIDE = 64


def near(given: np.ndarray, expected: np.ndarray) -> bool:
    """Within 1e-4, and the last digits of fp32: the networks here answer with hundreds, as no trained one does."""
    return bool(np.abs(given - expected).max() < 1e-4 + 1e-6 * np.abs(expected).max())


def images(count: int = 2, side: int = SIDE) -> np.ndarray:
    films = torch.rand(count, 1, side, side, generator=torch.Generator().manual_seed(2))
    return (2048 * films - 1024).numpy()


def code(call, *arguments, **options) -> str:
    with pytest.raises(MedcamError) as caught:
        call(*arguments, **options)
    assert caught.value.next_step
    return caught.value.code
