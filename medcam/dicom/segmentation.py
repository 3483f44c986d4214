"""Writes maps and regions as Segmentation objects: one segment per finding, on the pixels of the source image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import highdicom
import numpy as np
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import ExplicitVRLittleEndian, JPEGLSLossless

from medcam.core.arrays import BoolArray, FloatArray
from medcam.core.codes import CodedConcept
from medcam.core.errors import InputError, InvalidValueError
from medcam.dicom.derived import LONG_STRING, MANUFACTURER, Making
from medcam.dicom.errors import converting
from medcam.dicom.quiet import quiet
from medcam.dicom.uids import derived_uid

LARGEST_STORED = 255
"""Maximum Fractional Value (0062,000E): the stored value of a share of 1."""

_CATEGORY = Code("49755003", "SCT", "Morphologically abnormal structure")
_DEVICE_CATEGORY = Code("260787004", "SCT", "Physical object")
_DEVICE = "49062001"
_OWN_SCHEME = "99MEDCAM"


@dataclass(frozen=True, eq=False)
class Segment:
    """One finding on the grid of the source image.

    Args:
        name: The finding's name.
        code: Its code, None where the model's card has none; the name then stands in a scheme of medcam's own.
        pixels: bool [rows, columns] for regions; float32 [rows, columns] of shares 0 to 1 for maps.
        description: What the values mean, with the scale of a map.
    """

    name: str
    code: CodedConcept | None
    pixels: BoolArray | FloatArray = field(repr=False)
    description: str = ""


def write_regions(segments: Sequence[Segment], making: Making) -> Dataset:
    """A BINARY Segmentation of the findings' regions (PS3.3 A.51, C.8.20).

    Args:
        segments: bool pixels of the source's size; at least one.
        making: Source, model, request and time.

    Returns:
        A data set with file meta information, ready to be saved. Segments may overlap.

    Raises:
        InvalidValueError: There is no segment, or one has another size or kind of pixels than it must.
        InputError: The source's attributes do not allow a valid object.
    """
    pixels = _stacked(segments, making, np.dtype(np.bool_)).astype(np.uint8)
    with quiet(), converting("the segmentation cannot be written", InputError, "unwritable"):
        return _complete(
            highdicom.seg.Segmentation(
                **_arguments(segments, making, "seg", "Regions (research use)", 9002),
                pixel_array=pixels,
                segmentation_type=highdicom.seg.SegmentationTypeValues.BINARY,
                transfer_syntax_uid=ExplicitVRLittleEndian,
            ),
            making,
        )


def write_maps(segments: Sequence[Segment], making: Making) -> Dataset:
    """A FRACTIONAL Segmentation of the findings' maps, in JPEG-LS without loss.

    Stored is a share of a stated scale, in steps of 1 / 255. The fractional type is PROBABILITY, the nearest of the two
    that DICOM knows; a share of the scale is no probability, which the segments' descriptions say.

    Args:
        segments: float32 pixels of the source's size, 0 to 1; at least one.
        making: Source, model, request and time.

    Returns:
        As `write_regions`.

    Raises:
        InvalidValueError: As in `write_regions`, or a share lies outside 0 to 1.
        InputError: The source's attributes do not allow a valid object.
    """
    # In the steps that are stored: highdicom sorts all values to look at them, and few different ones sort four times
    # as fast.
    pixels = _stacked(segments, making, np.dtype(np.float32))
    if not (pixels.min() >= 0.0 and pixels.max() <= 1.0):  # what is not finite fails too
        raise InvalidValueError("shares of a map's scale lie between 0 and 1")
    pixels *= np.float32(LARGEST_STORED)
    np.rint(pixels, out=pixels)
    pixels /= np.float32(LARGEST_STORED)
    with quiet(), converting("the segmentation cannot be written", InputError, "unwritable"):
        return _complete(
            highdicom.seg.Segmentation(
                **_arguments(segments, making, "seg-map", "Class activation maps (research use)", 9003),
                pixel_array=pixels,
                segmentation_type=highdicom.seg.SegmentationTypeValues.FRACTIONAL,
                fractional_type=highdicom.seg.SegmentationFractionalTypeValues.PROBABILITY,
                max_fractional_value=LARGEST_STORED,
                transfer_syntax_uid=JPEGLSLossless,
            ),
            making,
        )


def finding_concept(name: str, code: CodedConcept | None) -> Code:
    """A finding as a DICOM code."""
    if code is None:
        return Code(name[:16], _OWN_SCHEME, name[:LONG_STRING])
    return Code(code.value, code.scheme, code.meaning[:LONG_STRING])


def tracking(making: Making, finding: str) -> tuple[str, str]:
    """Tracking Identifier and Tracking UID of a finding: the same in every object of one run over one source."""
    source = making.source
    return (
        f"{finding} by {making.algorithm.name}"[:LONG_STRING],
        derived_uid("tracking", source.identity.sop_instance_uid, source.sha256, making.request, finding),
    )


def algorithm_identification(making: Making) -> highdicom.AlgorithmIdentificationSequence:
    """The model after the Algorithm Identification macro (PS3.3 10.16), its weights' digest among the parameters."""
    algorithm = making.algorithm
    return highdicom.AlgorithmIdentificationSequence(
        name=algorithm.name,
        family=codes.DCM.ArtificialIntelligence,
        version=algorithm.version,
        source=f"{MANUFACTURER} {algorithm.software}".strip(),
        parameters={"weights_sha256": algorithm.weights_sha256} if algorithm.weights_sha256 else None,
    )


def _stacked(segments: Sequence[Segment], making: Making, kind: np.dtype[np.generic]) -> np.ndarray:
    """Pixels as highdicom wants them: [1, rows, columns, segments]."""
    wanted = (making.source.rows, making.source.columns)
    if not segments:
        raise InvalidValueError("a segmentation needs at least one segment")
    for segment in segments:
        if segment.pixels.shape != wanted or segment.pixels.dtype != kind:
            raise InvalidValueError(
                f"segment {segment.name!r} must be {kind} {wanted}, not {segment.pixels.dtype} {segment.pixels.shape}"
            )
    return np.stack([segment.pixels for segment in segments], axis=-1)[None]


def _arguments(
    segments: Sequence[Segment], making: Making, kind: str, title: str, series_number: int
) -> dict[str, Any]:
    image, algorithm = making.image(), making.algorithm
    image.PatientOrientation = making.source.dataset.get("PatientOrientation") or ["L", "F"]
    return {
        "source_images": [image],
        "segment_descriptions": [
            _description(number, segment, making) for number, segment in enumerate(segments, start=1)
        ],
        "series_instance_uid": making.series_uid(kind),
        "series_number": series_number,
        "sop_instance_uid": making.instance_uid(kind),
        "instance_number": 1,
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": algorithm.name,
        "software_versions": tuple(algorithm.software_versions),
        "device_serial_number": algorithm.weights_sha256[:LONG_STRING] or "none",
        "content_label": kind.upper().replace("-", "_"),
        "content_description": title,
        "series_description": title,
        "contributing_equipment": [algorithm.contribution()],
        "omit_empty_frames": False,
    }


def _description(number: int, segment: Segment, making: Making) -> highdicom.seg.SegmentDescription:
    device = segment.code is not None and segment.code.value == _DEVICE
    identifier, uid = tracking(making, segment.name)
    description = highdicom.seg.SegmentDescription(
        segment_number=number,
        segment_label=segment.name[:LONG_STRING],
        segmented_property_category=_DEVICE_CATEGORY if device else _CATEGORY,
        segmented_property_type=finding_concept(segment.name, segment.code),
        algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=algorithm_identification(making),
        tracking_id=identifier,
        tracking_uid=uid,
    )
    if segment.description:
        description.SegmentDescription = segment.description[:1024]
    return description


def _complete(made: Dataset, making: Making) -> Dataset:
    making.complete(made)
    # highdicom draws this one at random; the same work is to give the same bytes.
    organization = derived_uid("dimensions", made.SOPInstanceUID)
    for item in (*made.DimensionOrganizationSequence, *made.DimensionIndexSequence):
        item.DimensionOrganizationUID = organization
    # Required for images without a frame of reference (PS3.3 C.7.6.1.1.1); empty where it is unknown.
    made.PatientOrientation = making.source.dataset.get("PatientOrientation")
    return made
