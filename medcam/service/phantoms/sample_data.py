"""Where the sample films lie."""

from __future__ import annotations

from pathlib import Path

import medcam
from medcam.core.errors import MedcamError
from medcam.service.phantoms.truth import TRUTH_NAME


class SampleDataError(MedcamError):
    """The sample films are not there."""

    default_code = "no-sample-data"
    default_next_step = "Install medcam-cxr again, or make films of your own with `medcam phantom make`."


def sample_folder() -> Path:
    """The sample data: inside an installed package, or at the top of a checkout.

    Raises:
        SampleDataError: In neither.
    """
    package = Path(medcam.__file__).resolve().parent
    for folder in (package / "_sample_data", package.parent / "sample_data"):
        if (folder / TRUTH_NAME).is_file():
            return folder
    raise SampleDataError("the sample data are not installed")


def sample_films() -> list[Path]:
    """The sample data's DICOM files, sorted.

    Raises:
        SampleDataError: There are none.
    """
    films = sorted(sample_folder().rglob("*.dcm"))
    if not films:
        raise SampleDataError("the sample data hold no film")
    return films
