"""Checks and freezing of arrays held by value types."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from medcam.core.errors import InvalidValueError

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
ByteArray = npt.NDArray[np.uint8]


def frozen_array(value: npt.ArrayLike, dtype: npt.DTypeLike, ndim: int, what: str) -> npt.NDArray[Any]:
    """Returns `value` as a read-only array of a type and rank.

    Args:
        value: Anything numpy can turn into an array.
        dtype: The wanted type.
        ndim: The wanted number of axes.
        what: The name used in the message.

    Returns:
        A read-only view or copy; the caller's own array stays writable.

    Raises:
        InvalidValueError: The rank is wrong or an axis is empty.
    """
    array = np.asarray(value, dtype=dtype)
    if array.ndim != ndim or 0 in array.shape:
        raise InvalidValueError(f"{what} must have {ndim} non-empty axes, not shape {array.shape}")
    view = array.view()
    view.flags.writeable = False
    return view
