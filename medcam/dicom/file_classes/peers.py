"""Other ways to read a radiograph, each as its documentation says to use it for the best result.

A reader is given the path of a file and whether the window is to be applied; it returns what it would hand on, an array
[rows, columns] or [rows, columns, 3] of any type. What a reader raises is its answer too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

from medcam.dicom.quiet import quiet, silent_stderr
from medcam.dicom.radiograph import load_radiograph

Pixels = npt.NDArray[Any]
Reader = Callable[[str, bool], Pixels]


def dicom_readers() -> Mapping[str, Reader]:
    """Readers by name and version. medcam comes first."""
    return {
        "medcam": _medcam,
        f"SimpleITK {version('SimpleITK')}": _simpleitk,
        f"highdicom {version('highdicom')}": _highdicom,
        f"pydicom {version('pydicom')}, a script": _script,
        "torchxrayvision's way": _like_torchxrayvision,
    }


def answer(reader: Reader, path: str, *, shown: bool) -> Pixels | str:
    """What a reader makes of a file: pixels, or the name of the exception.

    Args:
        reader: The reader.
        path: The file.
        shown: Whether the window is to be applied.
    """
    try:
        with quiet(), silent_stderr():
            return np.asarray(reader(path, shown))
    except Exception as error:  # noqa: BLE001 - whatever another library raises is its answer
        return type(error).__name__


def _medcam(path: str, shown: bool) -> Pixels:
    film = load_radiograph(path)
    return film.display() if shown else film.pixels


def _simpleitk(path: str, shown: bool) -> Pixels:  # it has no window to apply
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    values = np.asarray(sitk.GetArrayFromImage(sitk.ReadImage(path)))
    return values[0] if values.shape[0] == 1 else values


def _highdicom(path: str, shown: bool) -> Pixels:
    import highdicom

    film = highdicom.imread(path)
    # `True` insists on a window; None takes one where the file has it. The Presentation LUT settles MONOCHROME1.
    has_window = "WindowWidth" in film or "VOILUTSequence" in film
    return np.asarray(film.get_frame(1, apply_voi_transform=shown and has_window, apply_presentation_lut=True))


def _script(path: str, shown: bool) -> Pixels:
    """The script of pydicom's documentation: Modality LUT, VOI LUT, and MONOCHROME1 turned by hand."""
    dataset = pydicom.dcmread(path)
    values = apply_modality_lut(dataset.pixel_array, dataset)
    if shown:
        values = apply_voi_lut(values, dataset)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        values = np.max(values) - values
    return np.asarray(values)


def _like_torchxrayvision(path: str, shown: bool) -> Pixels:
    """As torchxrayvision says that it reads DICOM: stored values, window on request, MONOCHROME1, normalised."""
    dataset = pydicom.dcmread(path)
    stored = dataset.pixel_array
    values = np.asarray(apply_voi_lut(stored, dataset) if shown else stored, dtype=np.float32)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        values = values.max() - values
    largest = float((1 << int(dataset.BitsStored)) - 1)
    if values.ndim != 2:
        raise ValueError("only grey images")
    return np.asarray((2.0 * values / largest - 1.0) * 1024.0, dtype=np.float32)
