"""One radiograph as medcam understands it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from medcam.core.arrays import BoolArray, ByteArray, FloatArray, frozen_array
from medcam.core.display import DisplayWindow
from medcam.core.errors import InvalidValueError

_ROWS = 64
"""Rows that are windowed at a time, so that what lies between the steps stays in the processor's cache."""


class View(StrEnum):
    """View Position (0018,5101), reduced to what matters for a chest film."""

    PA = "PA"
    AP = "AP"
    LATERAL = "lateral"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PixelSpacing:
    """Distance between pixel centres in mm, at the detector plane unless `at_patient` says otherwise."""

    row: float
    column: float
    at_patient: bool = False

    def __post_init__(self) -> None:
        if not (self.row > 0 and self.column > 0):
            raise InvalidValueError("pixel spacing must be positive: leave it out when unknown")


@dataclass(frozen=True, slots=True)
class Identity:
    """Which object a radiograph is. Values are as found in the file, valid or not: never build a path from them."""

    sop_instance_uid: str = ""
    sop_class_uid: str = ""
    series_instance_uid: str = ""
    study_instance_uid: str = ""

    @staticmethod
    def folder_name(uid: str) -> str:
        """16 hexadecimal digits of SHA-256 of a UID: the only form in which a UID reaches a path."""
        return hashlib.sha256(uid.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, eq=False)
class Radiograph:
    """One image, its display window kept beside it.

    Args:
        pixels: float32 [height, width] after the Modality LUT, polarity "denser is brighter".
        window: How to show it; see `DisplayWindow`.
        padding: bool [height, width], true where there is no image (pixel padding); None when there is none.
        spacing: mm between pixels, or None when the file does not say.
        view: PA, AP, lateral or unknown.
        laterality: "R", "L", or "" (a chest film has both).
        patient_orientation: Patient Orientation (0020,0020): where the rows and the columns run to, such as ("L", "F");
            empty when unknown. ("L", "F") means that the patient's right is on the left of the picture.
        identity: UIDs as found in the file.
        attributes: Further attributes used by later steps (modality, body part, manufacturer), never names or dates.
            "pixel_aspect" is a pixel's height over its width, where the file tells it without a spacing.
        sha256: Digest of the source bytes (or of the array).
        steps: What was done to the stored values, in order, in the standard's words.
        warnings: What a reader of the result must know.
    """

    pixels: FloatArray = field(repr=False)
    window: DisplayWindow
    padding: BoolArray | None = field(default=None, repr=False)
    spacing: PixelSpacing | None = None
    view: View = View.UNKNOWN
    laterality: str = ""
    patient_orientation: tuple[str, ...] = ()
    identity: Identity = field(default_factory=Identity)
    attributes: dict[str, str] = field(default_factory=dict)
    sha256: str = ""
    steps: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        pixels = frozen_array(self.pixels, np.float32, 2, "pixels")
        if not np.isfinite([pixels.min(), pixels.max()]).all():  # both are NaN where one pixel is
            raise InvalidValueError("pixels must be finite")
        object.__setattr__(self, "pixels", pixels)
        if self.padding is not None:
            padding = frozen_array(self.padding, np.bool_, 2, "padding")
            if padding.shape != pixels.shape:
                raise InvalidValueError("padding and pixels differ in shape")
            object.__setattr__(self, "padding", padding)

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.pixels.shape[1])

    @property
    def pixel_aspect(self) -> float:
        """Height of a pixel divided by its width: by the spacing, else by Pixel Aspect Ratio (0028,0034), else 1."""
        if self.spacing is not None:
            return self.spacing.row / self.spacing.column
        return float(self.attributes.get("pixel_aspect", 1.0))

    @property
    def right_is_left_of_picture(self) -> bool | None:
        """Whether the patient's right lies on the picture's left side (the usual chest film); None when unknown."""
        row = self.patient_orientation[0][:1].upper() if self.patient_orientation else ""
        return {"L": True, "R": False}.get(row)

    def display(self) -> ByteArray:
        """The film as shown: uint8 [height, width], window applied, padding black, denser brighter."""
        shown: ByteArray = np.empty(self.pixels.shape, dtype=np.uint8)
        for top in range(0, self.height, _ROWS):
            strip = np.s_[top : top + _ROWS]
            shown[strip] = np.rint(self.window.apply(self.pixels[strip]) * 255.0)
        if self.padding is not None:
            shown[self.padding] = 0
        return shown
