"""Reads medcam's own reports and segmentations back: what their standard content says, without the private block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import highdicom as hd
import numpy as np
from pydicom.dataset import Dataset

from medcam.core.arrays import FloatArray
from medcam.core.codes import CodedConcept
from medcam.core.errors import InputError
from medcam.core.radiograph import Identity
from medcam.dicom.errors import LIBRARY_ERRORS
from medcam.dicom.quiet import quiet

_OWN = "99MEDCAM"
_ZONE = "Evidence in "
_SERIAL_NUMBER = "121016"
"""DCM, Device Observer Serial Number: the digest of the weights."""
_PRESENCE = "705057003"
_ANSWERS: Mapping[str, bool | None] = {"52101004": True, "2667000": False, "withheld": None}


@dataclass(frozen=True, slots=True)
class ReportedFinding:
    """One measurement group.

    Args:
        name: The finding's name.
        code: Its code; None where the scheme is medcam's own.
        tracking_uid: The same in the segment of the finding.
        figures: By code value: 111012 (certainty, percent), logit, bias, threshold, evidence-share (percent).
        zones: Evidence in logit units by zone.
        present: None where the answer is withheld.
        outline: float [n, 2] of x, y in source pixels, closed; None without a region.
    """

    name: str
    code: CodedConcept | None
    tracking_uid: str
    figures: Mapping[str, float]
    zones: Mapping[str, float]
    present: bool | None
    outline: FloatArray | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ReportContent:
    """What a report says.

    Args:
        source: UIDs of the film; the series is not told.
        model: Name, version and digest of the weights.
        findings: In the report's order, those with a region first.
    """

    source: Identity
    model: tuple[str, str, str]
    findings: tuple[ReportedFinding, ...]


@dataclass(frozen=True, eq=False)
class StoredMap:
    """A map as a segment holds it.

    Args:
        shares: float32 [rows, columns], 0 to 1, of the scale.
        description: Names the scale.
    """

    shares: FloatArray = field(repr=False)
    description: str


def read_report(report: Dataset) -> ReportContent:
    """Reads the content tree of a report that `write_report` made.

    Raises:
        InputError: It is no such report (code `not-a-medcam-report`).
    """
    with quiet():
        try:
            content = hd.sr.Comprehensive3DSR.from_dataset(report).content
            assert isinstance(content, hd.sr.MeasurementReport)
            groups = [*content.get_planar_roi_measurement_groups(), *content.get_image_measurement_groups()]
            findings = tuple(_finding(group) for group in groups)
            (reference,) = report.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
            image = reference.ReferencedSOPSequence[0]
            source = Identity(
                sop_instance_uid=str(image.ReferencedSOPInstanceUID),
                sop_class_uid=str(image.ReferencedSOPClassUID),
                series_instance_uid=str(reference.SeriesInstanceUID),
                study_instance_uid=str(report.StudyInstanceUID),
            )
            return ReportContent(source, _model(report), findings)
        except LIBRARY_ERRORS as error:
            raise InputError(
                f"this is no report by medcam ({type(error).__name__})",
                code="not-a-medcam-report",
                next_step="Name a structured report that `medcam annotate --write sr` made.",
            ) from error


def read_maps(segmentation: Dataset) -> dict[str, StoredMap]:
    """The maps of a segmentation that `write_maps` made, by the findings' tracking UIDs.

    Raises:
        InputError: It is no such segmentation (code `not-a-medcam-segmentation`).
    """
    with quiet():
        try:
            seg = hd.seg.Segmentation.from_dataset(segmentation)
            image = seg.ReferencedSeriesSequence[0].ReferencedInstanceSequence[0]
            pixels = seg.get_pixels_by_source_instance([str(image.ReferencedSOPInstanceUID)], rescale_fractional=True)
            described = [seg.get_segment_description(number) for number in seg.segment_numbers]
            return {
                str(segment.tracking_uid): StoredMap(
                    np.asarray(pixels[0, :, :, place], dtype=np.float32), str(segment.get("SegmentDescription", ""))
                )
                for place, segment in enumerate(described)
            }
        except LIBRARY_ERRORS as error:
            raise InputError(
                f"this is no segmentation by medcam ({type(error).__name__})",
                code="not-a-medcam-segmentation",
                next_step="Name a seg-map.dcm that `medcam annotate --write seg` made.",
            ) from error


def _finding(group: Any) -> ReportedFinding:  # noqa: ANN401  highdicom has no common base for its groups
    concept = group.finding_type
    measured = {item.name: float(item.value) for item in group.get_measurements()}
    answers = [item.value.value for item in group.get_qualitative_evaluations() if item.name.value == _PRESENCE]
    region = getattr(group, "roi", None)
    own = concept.scheme_designator == _OWN
    return ReportedFinding(
        # The tracking identifier is "<finding> by <model>"; a code's meaning is the terminology's own word.
        name=str(group.tracking_identifier).rpartition(" by ")[0],
        code=None if own else CodedConcept(str(concept.value), str(concept.scheme_designator), str(concept.meaning)),
        tracking_uid=str(group.tracking_uid),
        figures={str(name.value): value for name, value in measured.items() if not name.meaning.startswith(_ZONE)},
        zones={
            name.meaning.removeprefix(_ZONE).partition(",")[0]: value
            for name, value in measured.items()
            if name.meaning.startswith(_ZONE)
        },
        present=_ANSWERS[answers[0]],
        outline=None if region is None else np.asarray(region.value, dtype=np.float32),
    )


def _model(report: Dataset) -> tuple[str, str, str]:
    name = str(report.ManufacturerModelName)
    serial = [
        str(item.TextValue)
        for item in report.ContentSequence
        if item.ValueType == "TEXT" and item.ConceptNameCodeSequence[0].CodeValue == _SERIAL_NUMBER
    ]
    return name, str(report.SoftwareVersions[0]).removeprefix(f"{name} "), serial[0] if serial else ""
