"""Writes synthetic radiographs as DX images, with everything that a real one would carry."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from medcam.core.arrays import frozen_array
from medcam.core.display import VoiFunction
from medcam.core.errors import InputError, InvalidValueError
from medcam.core.radiograph import View
from medcam.dicom.errors import converting
from medcam.dicom.quiet import quiet
from medcam.dicom.save import save_dataset
from medcam.dicom.uids import derived_uid

Uint16Array = npt.NDArray[np.uint16]

_EARLIEST = date(2000, 1, 1)
_DAYS = 9000
_VIEW_CODES = {View.PA: ("272479007", "postero-anterior"), View.AP: ("399348003", "antero-posterior")}


class Codec(StrEnum):
    """How pixels are stored; all of them lossless."""

    UNCOMPRESSED = "uncompressed"
    RLE = "rle"
    JPEG_LS = "jpeg-ls"
    JPEG_2000 = "jpeg-2000"


_SYNTAXES: dict[Codec, UID] = {
    Codec.UNCOMPRESSED: ExplicitVRLittleEndian,
    Codec.RLE: RLELossless,
    Codec.JPEG_LS: JPEGLSLossless,
    Codec.JPEG_2000: JPEG2000Lossless,
}


@dataclass(frozen=True, eq=False)
class DxAttributes:
    """What a synthetic DX image says about itself.

    Args:
        seed: What UIDs and dates are derived from; one seed is one instance.
        patient_id: Patient ID.
        patient_name: Such as "PHANTOM^0001"; never a real name.
        sex: "M", "F" or "O".
        age_years: 0 to 120.
        view: PA or AP.
        bits_stored: 10 to 16.
        inverse: Whether the smallest value is white: MONOCHROME1 with INVERSE, else MONOCHROME2 with IDENTITY.
        spacing_mm: Imager Pixel Spacing: at the detector plane, row and column, in mm.
        window: Center and width of the stored values; None for none.
        window_function: LINEAR, LINEAR_EXACT or SIGMOID.
        voi_table: uint16 [n] VOI LUT over the stored values from 0 on; None for none. DX asks for a window or a table.
        voi_table_bits: Bits per entry of the table, 10 to 16.
        padding: Pixel Padding Value in stored values; None for none.
        codec: How the pixels are stored.
        manufacturer: Manufacturer.
        description: Study Description.
        burned_in: Whether the image has text burned in that would identify a patient.
    """

    seed: str
    patient_id: str = "PHANTOM"
    patient_name: str = "PHANTOM^SYNTHETIC"
    sex: str = "O"
    age_years: int = 50
    view: View = View.PA
    bits_stored: int = 12
    inverse: bool = False
    spacing_mm: tuple[float, float] = (0.4, 0.4)
    window: tuple[float, float] | None = None
    window_function: VoiFunction = VoiFunction.LINEAR
    voi_table: Uint16Array | None = field(default=None, repr=False)
    voi_table_bits: int = 16
    padding: int | None = None
    codec: Codec = Codec.UNCOMPRESSED
    manufacturer: str = "medcam phantom"
    description: str = "Synthetic chest radiograph"
    burned_in: bool = False

    def __post_init__(self) -> None:
        _check(bool(self.seed), "a DX image needs a seed")
        _check(self.sex in ("M", "F", "O"), "sex must be M, F or O")
        _check(0 <= self.age_years <= 120, "age must be 0 to 120 years")
        _check(self.view in _VIEW_CODES, "view must be PA or AP")
        _check(10 <= self.bits_stored <= 16, "bits stored must be 10 to 16")
        _check(min(self.spacing_mm) > 0, "pixel spacing must be positive")
        _check(self.window is not None or self.voi_table is not None, "a DX image needs a window or a VOI table")
        _check(self.window is None or self.window[1] >= 1, "window width must be at least 1")
        _check(self.window_function is not VoiFunction.TABLE, "a window function is a formula")
        _check(self.padding is None or 0 <= self.padding < 1 << self.bits_stored, "padding must fit the stored bits")
        if self.voi_table is not None:
            table = frozen_array(self.voi_table, np.uint16, 1, "VOI table")
            _check(table.size <= 1 << 16 and 10 <= self.voi_table_bits <= 16, "a VOI table has 10 to 16 bits")
            _check(int(table.max()) < 1 << self.voi_table_bits, "the VOI table does not fit its bits")
            object.__setattr__(self, "voi_table", table)


def write_dx(pixels: Uint16Array, attributes: DxAttributes) -> Dataset:
    """Builds a "Digital X-Ray Image Storage - For Presentation" object (DICOM PS3.3 A.26).

    Args:
        pixels: uint16 [height, width], stored values, all below 2 ** bits_stored. The patient's right is on the left.
        attributes: Everything else.

    Returns:
        A data set with file meta information; the same arguments give the same bytes when saved.

    Raises:
        InvalidValueError: The pixels do not fit.
        InputError: The codec refuses them (code `unwritable`).
    """
    stored = np.ascontiguousarray(frozen_array(pixels, np.uint16, 2, "stored pixels"))
    if pixels.dtype != np.uint16 or int(stored.max()) >= 1 << attributes.bits_stored:
        raise InvalidValueError(f"stored pixels must be uint16 below 2 ** {attributes.bits_stored}")
    with quiet(), converting("the DX image cannot be written", InputError, "unwritable"):
        dataset = _file(attributes)
        _add_patient_and_study(dataset, attributes)
        _add_series_and_equipment(dataset, attributes)
        _add_anatomy_and_position(dataset, attributes)
        _add_pixels(dataset, stored, attributes)
        _add_display(dataset, attributes)
        if attributes.codec is not Codec.UNCOMPRESSED:
            dataset.compress(_SYNTAXES[attributes.codec], stored, generate_instance_uid=False)
        return dataset


def save_dx(path: Path | str, pixels: Uint16Array, attributes: DxAttributes) -> str:
    """Writes a DX image to a file.

    Args:
        path: Where to.
        pixels: As in `write_dx`.
        attributes: As in `write_dx`.

    Returns:
        Its SOP Instance UID.

    Raises:
        InvalidValueError: The pixels do not fit.
        InputError: The file cannot be written (code `unwritable`).
    """
    dataset = write_dx(pixels, attributes)
    save_dataset(path, dataset)
    return str(dataset.SOPInstanceUID)


def _file(attributes: DxAttributes) -> Dataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = UID(derived_uid("dx", attributes.seed))
    meta.TransferSyntaxUID = _SYNTAXES[attributes.codec]
    dataset = Dataset()
    dataset.file_meta = meta
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = DigitalXRayImageStorageForPresentation
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    return dataset


def _add_patient_and_study(dataset: Dataset, attributes: DxAttributes) -> None:
    day = _study_date(attributes.seed)
    dataset.PatientName = attributes.patient_name
    dataset.PatientID = attributes.patient_id
    # Born on the first of January, so that the age fits whatever the day of the study.
    dataset.PatientBirthDate = f"{day.year - attributes.age_years:04d}0101"
    dataset.PatientSex = attributes.sex
    dataset.PatientAge = f"{attributes.age_years:03d}Y"
    dataset.StudyInstanceUID = derived_uid("dx-study", attributes.seed)
    dataset.StudyID = "1"
    dataset.StudyDescription = attributes.description
    dataset.AccessionNumber = ""
    dataset.ReferringPhysicianName = ""
    for name in ("Study", "Acquisition", "Content"):
        setattr(dataset, f"{name}Date", day.strftime("%Y%m%d"))
        setattr(dataset, f"{name}Time", "120000")


def _add_series_and_equipment(dataset: Dataset, attributes: DxAttributes) -> None:
    dataset.Modality = "DX"
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.SeriesInstanceUID = derived_uid("dx-series", attributes.seed)
    dataset.SeriesNumber = 1
    dataset.InstanceNumber = 1
    dataset.AcquisitionNumber = 1
    dataset.Manufacturer = attributes.manufacturer
    dataset.ManufacturerModelName = "analytic thorax"
    dataset.DeviceSerialNumber = "0"
    dataset.SoftwareVersions = "1"
    dataset.DetectorType = "DIRECT"
    dataset.ImagerPixelSpacing = [f"{value:.6g}" for value in attributes.spacing_mm]


def _add_anatomy_and_position(dataset: Dataset, attributes: DxAttributes) -> None:
    value, meaning = _VIEW_CODES[attributes.view]
    dataset.BodyPartExamined = "CHEST"
    dataset.AnatomicRegionSequence = [_code_item("816094009", "SCT", "Chest")]
    dataset.ImageLaterality = "U"
    dataset.PatientOrientation = ["L", "F"]
    dataset.ViewPosition = attributes.view.value
    view = _code_item(value, "SCT", meaning)
    view.ViewModifierCodeSequence = []
    dataset.ViewCodeSequence = [view]
    dataset.PositionerType = "NONE"
    dataset.AcquisitionContextSequence = []


def _add_pixels(dataset: Dataset, stored: Uint16Array, attributes: DxAttributes) -> None:
    dataset.ImageType = ["DERIVED", "PRIMARY"]
    dataset.DerivationDescription = "Simulated radiograph of an analytic thorax; no patient was imaged"
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME1" if attributes.inverse else "MONOCHROME2"
    dataset.Rows, dataset.Columns = stored.shape
    dataset.BitsAllocated = 16
    dataset.BitsStored = attributes.bits_stored
    dataset.HighBit = attributes.bits_stored - 1
    dataset.PixelRepresentation = 0
    dataset.BurnedInAnnotation = "YES" if attributes.burned_in else "NO"
    dataset.LossyImageCompression = "00"
    if attributes.padding is not None:
        dataset.PixelPaddingValue = attributes.padding
    dataset.PixelData = stored.astype("<u2").tobytes()
    dataset["PixelData"].VR = "OW"


def _add_display(dataset: Dataset, attributes: DxAttributes) -> None:
    dataset.PixelIntensityRelationship = "LOG"
    dataset.PixelIntensityRelationshipSign = 1 if attributes.inverse else -1
    dataset.RescaleIntercept = "0"
    dataset.RescaleSlope = "1"
    dataset.RescaleType = "US"
    dataset.PresentationLUTShape = "INVERSE" if attributes.inverse else "IDENTITY"
    if attributes.window is not None:
        dataset.WindowCenter, dataset.WindowWidth = (f"{value:.10g}" for value in attributes.window)
        dataset.VOILUTFunction = attributes.window_function.value
    if attributes.voi_table is not None:
        item = Dataset()
        item.add_new("LUTDescriptor", "US", [attributes.voi_table.size % (1 << 16), 0, attributes.voi_table_bits])
        item.add_new("LUTData", "OW", attributes.voi_table.astype("<u2").tobytes())
        dataset.VOILUTSequence = [item]


def _study_date(seed: str) -> date:
    number = int.from_bytes(hashlib.sha256(seed.encode("utf-8")).digest()[:4], "big")
    return _EARLIEST + timedelta(days=number % _DAYS)


def _code_item(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def _check(holds: bool, message: str) -> None:
    if not holds:
        raise InvalidValueError(message)
