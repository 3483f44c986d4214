"""MONAI's way to our grey-scale pipeline: `LoadImage(reader=RadiographReader())`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from monai.config import PathLike as MonaiPath
from monai.data import ImageReader
from monai.utils import MetaKeys, ensure_tuple

from medcam.core.arrays import FloatArray
from medcam.core.errors import InputError, InvalidValueError
from medcam.core.radiograph import Radiograph
from medcam.dicom import NotDicomError, load_radiograph

SUFFIXES = frozenset((".dcm", ".dicom", ".dic", ".ima", ""))

Read: TypeAlias = "Radiograph | InputError"


class RadiographReader(ImageReader):
    """Reads radiographs with Modality LUT, polarity and padding applied: denser is brighter, whatever the file says.

    Arrays are float32 [width, height]: x comes first, as with MONAI's other readers. `swap_xy=False` gives
    [height, width], as everywhere else in medcam. The display window is not applied.

    Metadata: `affine` (3 x 3, mm per array axis, 1 where the spacing is unknown; no orientation, since a projection has
    none), `spacing` (mm per array axis, NaN where unknown), `spatial_shape`, `original_channel_dim`, `original_shape`
    (rows, columns of the file), `polarity`, `view`, `patient_orientation`, `sha256`, `medcam_warnings`. None of them
    identifies a patient.

    `LoadImage` hands a file that its reader refuses to MONAI's own readers, whose polarity is that of the file. So
    `read` raises for files that are no DICOM only; what is wrong with a DICOM file is kept and raised by `get_data`,
    which `LoadImage` does not catch.

    Args:
        swap_xy: Whether x is the first axis.
    """

    def __init__(self, *, swap_xy: bool = True) -> None:
        super().__init__()
        self.swap_xy = swap_xy

    def verify_suffix(self, filename: Sequence[MonaiPath] | MonaiPath) -> bool:
        """Whether the names look like DICOM: a usual suffix, none, or one of digits as at the end of a UID."""
        suffixes = [Path(name).suffix.lower() for name in ensure_tuple(filename)]
        return all(suffix in SUFFIXES or suffix[1:].isdigit() for suffix in suffixes)

    def read(self, data: Sequence[MonaiPath] | MonaiPath, **_: object) -> list[Read] | Read:
        """Reads one file, or several that are to become channels.

        Args:
            data: Path or paths.

        Returns:
            A `Radiograph` per file; for a DICOM file that cannot be used, the error.

        Raises:
            NotDicomError: A file is no DICOM.
        """
        found = [_read(path) for path in ensure_tuple(data)]
        return found if len(found) > 1 else found[0]

    def get_data(self, img: Sequence[Read] | Read) -> tuple[FloatArray, dict[str, Any]]:
        """Array and metadata of what `read` returned.

        Args:
            img: A radiograph or several.

        Returns:
            float32 [width, height] of one film (see `swap_xy`), [films, width, height] of several, and the metadata of
            the first.

        Raises:
            InputError: A file cannot be used; the code says why.
            InvalidValueError: Several films differ in shape or spacing, and so cannot be channels of one image.
        """
        films = [_usable(one) for one in (img if isinstance(img, list | tuple) else (img,))]
        headers = [self._metadata(film) for film in films]
        for header in headers[1:]:
            if not all(
                np.array_equal(header[key], headers[0][key]) for key in (MetaKeys.SPATIAL_SHAPE, MetaKeys.AFFINE)
            ):
                raise InvalidValueError("films of different shape or spacing cannot be channels of one image")
        # Copies: transforms may write into them, and a radiograph's pixels are read-only.
        arrays = [np.array(film.pixels.T if self.swap_xy else film.pixels, order="C") for film in films]
        if len(arrays) == 1:
            return arrays[0], headers[0]
        return np.stack(arrays), headers[0] | {MetaKeys.ORIGINAL_CHANNEL_DIM: 0}

    def _metadata(self, film: Radiograph) -> dict[str, Any]:
        known = film.spacing
        spacing, shape = ((known.row, known.column) if known else (np.nan, np.nan)), (film.height, film.width)
        if self.swap_xy:
            spacing, shape = spacing[::-1], shape[::-1]
        scale = np.nan_to_num(np.array(spacing), nan=1.0)
        return {
            MetaKeys.AFFINE: np.diag([*scale, 1.0]),
            MetaKeys.SPATIAL_SHAPE: np.array(shape),
            MetaKeys.ORIGINAL_CHANNEL_DIM: float("nan"),  # MONAI's word for "no channel"
            "spacing": np.array(spacing),
            "original_shape": np.array((film.height, film.width)),
            "polarity": "denser is brighter",
            "view": film.view.value,
            "patient_orientation": "\\".join(film.patient_orientation),
            "sha256": film.sha256,
            "medcam_warnings": "; ".join(film.warnings),
        }


def _read(path: MonaiPath) -> Read:
    try:
        return load_radiograph(Path(path))
    except NotDicomError:
        raise
    except InputError as error:
        return error


def _usable(one: Read) -> Radiograph:
    if isinstance(one, InputError):
        raise one
    return one
