"""One class of files: its bytes, and what a reader must make of them by the standard."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from medcam.dicom.file_classes.formulas import Numbers


@dataclass(frozen=True, eq=False)
class FileClass:
    """A small DICOM file of one kind, with the values that the standard's formulas give for it.

    Args:
        name: What is special about it, in a few words.
        group: Heading under which tables list it.
        section: Where the standard says what to do.
        data: The whole file.
        values: float64 [rows, columns] after the Modality LUT, denser is brighter, padding at the darkest value of the
            rest; None where the file is to be refused.
        shown: float64 [rows, columns] brightness 0 to 1 as displayed; None where only the values are compared.
        padding: bool [rows, columns], true where there is no image; None where there is no padding.
        refused: The error code, where the file must be refused.
        tolerance: Largest error of a value that the codec is allowed, in units of the stored values.
        needs_display: Whether what is special shows only in the brightness, not in the values.
        settled: Whether the standard says what is right; false where the file contradicts itself and the answer is
            medcam's own.
    """

    name: str
    group: str
    section: str
    data: bytes = field(repr=False)
    values: Numbers | None = field(default=None, repr=False)
    shown: Numbers | None = field(default=None, repr=False)
    padding: npt.NDArray[np.bool_] | None = field(default=None, repr=False)
    refused: str = ""
    tolerance: float = 0.0
    needs_display: bool = False
    settled: bool = True
