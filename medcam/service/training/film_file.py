"""One film of a training set from its file: DICOM through our own reader, or a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from skimage.io import imread

from medcam.core.display import DisplayWindow
from medcam.core.errors import InputError
from medcam.core.radiograph import Radiograph
from medcam.dicom import load_radiograph, read_context

DICOM_SUFFIXES = frozenset({".dcm", ".dicom", ""})


def load_film(path: Path) -> Radiograph:
    """Reads a film.

    Args:
        path: DICOM, PNG or JPEG; a picture is taken as an upright film in which denser is brighter, of the brightness
            that it has, with 8 or 16 bits.

    Raises:
        InputError: It cannot be read.
    """
    if path.suffix.lower() in DICOM_SUFFIXES:
        return load_radiograph(path)
    try:
        return _picture(np.asarray(imread(path, as_gray=True)))
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"{path.name} cannot be read as a grey image", code="undecodable") from error


def _picture(grey: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Radiograph:
    """A picture's grey values as a radiograph that is shown with the brightness that they have."""
    if grey.dtype == np.uint16:
        return Radiograph(grey.astype(np.float32), DisplayWindow(center=32768.0, width=65536.0))
    # A colour picture is made grey as fractions of its white, and one of two colours is not grey at all.
    scale = 1.0 if grey.dtype == np.uint8 else 255.0
    return Radiograph(grey.astype(np.float32) * np.float32(scale), DisplayWindow(center=128.0, width=256.0))


def patient_of(path: Path) -> str:
    """What a DICOM file says of whose film it is: issuer and Patient ID, else its study; empty for a picture.

    Raises:
        InputError: It cannot be read.
    """
    if path.suffix.lower() not in DICOM_SUFFIXES:
        return ""
    context = read_context(path)
    told = context.attributes()
    patient = str(told.get("PatientID") or "").strip()
    return f"{told.get('IssuerOfPatientID', '')}\x1f{patient}" if patient else context.identity.study_instance_uid
