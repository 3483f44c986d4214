"""From whatever a caller has in hand (path, data set, array, radiograph) to a `Radiograph`."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from medcam.core.display import DisplayWindow, VoiFunction
from medcam.core.errors import NotAnImageError, UsageError
from medcam.core.radiograph import Radiograph
from medcam.dicom import Dataset, load_radiograph, radiograph_from_dataset

FilmSource: TypeAlias = "str | os.PathLike[str] | Dataset | Radiograph | npt.ArrayLike"

SHOWN = (0.5, 99.5)
"""Percentiles of an array that are shown black and white."""


def to_radiograph(source: FilmSource) -> Radiograph:
    """Makes a radiograph of a source.

    Args:
        source: Path of a DICOM file, a pydicom data set, a radiograph, or a grey array [height, width] in which denser
            is brighter.

    Returns:
        The radiograph. One made of an array knows no spacing, view or sides, and says so in its warnings.

    Raises:
        InputError: The file or data set cannot be read; its code says why.
        InvalidValueError: The array is not a finite [height, width].
        UsageError: The source is none of these.
    """
    if isinstance(source, Radiograph):
        return source
    if isinstance(source, Dataset):
        return radiograph_from_dataset(source)
    if isinstance(source, (str, os.PathLike)):
        return _from_file(Path(source))
    return radiograph_from_array(source)


def radiograph_from_array(pixels: npt.ArrayLike) -> Radiograph:
    """Makes a radiograph of a grey array.

    Args:
        pixels: [height, width] of any numeric type, denser is brighter. It is shown between its percentiles `SHOWN`.

    Raises:
        InvalidValueError: The array has other axes, or values that are not finite.
        UsageError: It does not hold numbers.
    """
    array = np.asarray(pixels)
    if array.dtype.kind not in "buif":
        raise UsageError(
            f"a film cannot be made of {type(pixels).__name__}",
            next_step="Give a path, a pydicom data set, a Radiograph, or an array [height, width].",
        )
    film = Radiograph(array, DisplayWindow())
    low, high = (float(value) for value in np.percentile(film.pixels, SHOWN))
    width = high - low if high > low else 1.0
    kind = f"{array.dtype.str} {array.shape}".encode()
    return Radiograph(
        film.pixels,
        DisplayWindow(VoiFunction.LINEAR_EXACT, (low + high) / 2.0, width, source="percentiles"),
        sha256=hashlib.sha256(kind + np.ascontiguousarray(array).tobytes()).hexdigest(),
        warnings=("made from an array: denser is taken to be brighter; view, spacing and sides are not known",),
    )


def _from_file(path: Path) -> Radiograph:
    try:
        return load_radiograph(path)
    except NotAnImageError as error:
        # A batch passes such a file over; whoever names a single file expects to hear what would work.
        step = "Name a DICOM image. A PNG or JPEG can be read by another library and given as an array."
        raise type(error)(error.message, code=error.code, next_step=step) from error
