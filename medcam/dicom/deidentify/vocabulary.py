"""The words that may stay: Enumerated Values and Defined Terms of the image modules (DICOM PS3.3 C.7 and C.8).

A text attribute is kept only if it is named here, and only a value that is listed here. Whatever else stands there, and
any attribute that is not named, is dropped: a name can hide in a Code String too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_YES_NO = frozenset(("YES", "NO"))
_BODY_PARTS = frozenset(
    [
        "ABDOMEN",
        "ABDOMENPELVIS",
        "ANKLE",
        "ARM",
        "BREAST",
        "CALCANEUS",
        "CERVICALSPINE",
        "CHEST",
        "CHESTABDOMEN",
        "CHESTABDPELVIS",
        "CLAVICLE",
        "COCCYX",
        "CSPINE",
        "CTSPINE",
        "ELBOW",
        "EXTREMITY",
        "FEMUR",
        "FINGER",
        "FOOT",
        "FOREARM",
        "HAND",
        "HEAD",
        "HEART",
        "HIP",
        "HUMERUS",
        "KNEE",
        "LEG",
        "LSPINE",
        "LSSPINE",
        "LUNG",
        "NECK",
        "NECKCHEST",
        "NECKCHESTABDOMEN",
        "PATELLA",
        "PELVIS",
        "RIB",
        "RIBS",
        "SACRUM",
        "SCAPULA",
        "SHOULDER",
        "SKULL",
        "SPINE",
        "SSPINE",
        "STERNUM",
        "THIGH",
        "THORAX",
        "THUMB",
        "TIBIA",
        "TLSPINE",
        "TOE",
        "TSPINE",
        "TSSPINE",
        "WHOLEBODY",
        "WRIST",
    ]
)

WORDS: Mapping[str, frozenset[str]] = {
    "BodyPartExamined": _BODY_PARTS,
    "BurnedInAnnotation": _YES_NO,
    "CollimatorShape": frozenset(("RECTANGULAR", "CIRCULAR", "POLYGONAL")),
    "ConversionType": frozenset(["DV", "DI", "DF", "WSD", "SD", "SI", "DRW", "SYN"]),
    "DetectorActiveShape": frozenset(("RECTANGLE", "ROUND", "HEXAGONAL")),
    "DetectorConfiguration": frozenset(("AREA", "SLOT")),
    "DetectorConditionsNominalFlag": _YES_NO,
    "DetectorGeometry": frozenset(("CYLINDRICAL_RING", "CYL_RING_PARTIAL", "MULTIPLE_PLANAR", "MUL_PLAN_PARTIAL")),
    "DetectorType": frozenset(("DIRECT", "SCINTILLATOR", "STORAGE", "FILM")),
    "ExposureControlMode": frozenset(("MANUAL", "AUTOMATIC")),
    "ExposureStatus": frozenset(("NORMAL", "ABORTED")),
    "FieldOfViewHorizontalFlip": _YES_NO,
    "FieldOfViewShape": frozenset(("RECTANGLE", "ROUND", "HEXAGONAL")),
    "FilterMaterial": frozenset(
        ["MOLYBDENUM", "ALUMINUM", "COPPER", "RHODIUM", "NIOBIUM", "EUROPIUM", "LEAD", "SILVER", "TIN"]
    ),
    "FilterType": frozenset(["STRIP", "WEDGE", "BUTTERFLY", "MULTIPLE", "FLAT", "NONE"]),
    "Grid": frozenset(["FIXED", "FOCUSED", "RECIPROCATING", "PARALLEL", "CROSSED", "NONE"]),
    "ImageLaterality": frozenset(["R", "L", "U", "B"]),
    "ImageType": frozenset(
        [
            "ORIGINAL",
            "DERIVED",
            "PRIMARY",
            "SECONDARY",
            "AXIAL",
            "LOCALIZER",
            "PROJECTION",
            "REFORMATTED",
            "VOLUME",
            "NONE",
            "POST_PROCESSED",
        ]
    ),
    "Laterality": frozenset(["R", "L"]),
    "LossyImageCompression": frozenset(("00", "01")),
    "LossyImageCompressionMethod": frozenset(
        ["ISO_10918_1", "ISO_14495_1", "ISO_15444_1", "ISO_13818_2", "ISO_14496_10"]
    ),
    "Modality": frozenset(
        [
            "CR",
            "DX",
            "MG",
            "IO",
            "PX",
            "RG",
            "OT",
            "SC",
            "CT",
            "MR",
            "US",
            "NM",
            "PT",
            "XA",
            "RF",
            "ES",
            "GM",
            "SM",
            "XC",
            "OP",
            "HC",
            "RTIMAGE",
        ]
    ),
    "ModalityLUTType": frozenset(["OD", "HU", "US", "MGML", "Z_EFF", "ED", "EDW", "HU_MOD", "PCT", "UNSPECIFIED"]),
    "PatientOrientation": frozenset(
        first + second + third
        for first in ("A", "P", "R", "L", "H", "F")
        for second in ("", "A", "P", "R", "L", "H", "F")
        for third in ("", "A", "P", "R", "L", "H", "F")
    ),
    "PixelIntensityRelationship": frozenset(("LIN", "LOG", "DISP")),
    "PixelSpacingCalibrationType": frozenset(("GEOMETRY", "FIDUCIAL")),
    "PositionerType": frozenset(["C-ARM", "COLUMN", "MAMMOGRAPHIC", "PANORAMIC", "CEPHALOSTAT", "RIGID", "NONE"]),
    "PatientPosition": frozenset(
        [
            "HFP",
            "HFS",
            "HFDR",
            "HFDL",
            "FFDR",
            "FFDL",
            "FFP",
            "FFS",
            "LFP",
            "LFS",
            "RFP",
            "RFS",
            "AFDR",
            "AFDL",
            "PFDR",
            "PFDL",
        ]
    ),
    "PresentationIntentType": frozenset(("FOR PRESENTATION", "FOR PROCESSING")),
    "PresentationLUTShape": frozenset(("IDENTITY", "INVERSE")),
    "QualityControlImage": frozenset(("YES", "NO", "BOTH")),
    "RecognizableVisualFeatures": _YES_NO,
    "RectificationType": frozenset(["SINGLE PHASE", "THREE PHASE", "CONST POTENTIAL"]),
    "RescaleType": frozenset(["OD", "HU", "US", "MGML", "Z_EFF", "ED", "EDW", "HU_MOD", "PCT"]),
    "TableType": frozenset(("FIXED", "TILTING", "NONE")),
    "ViewPosition": frozenset(
        [
            "AP",
            "PA",
            "LL",
            "RL",
            "RLD",
            "LLD",
            "RLO",
            "LLO",
            "LATERAL",
            "LAT",
            "OBL",
            "XCC",
            "SIO",
            "CC",
            "MLO",
            "ML",
            "LM",
        ]
    ),
    "VOILUTFunction": frozenset(("LINEAR", "LINEAR_EXACT", "SIGMOID")),
}
"""Values that may stay, by keyword."""

CHARACTERISTICS: Mapping[str, frozenset[str]] = {
    "PatientSex": frozenset(["M", "F", "O"]),
    "PatientSexNeutered": frozenset(("ALTERED", "UNALTERED")),
    "PregnancyStatus": frozenset(("1", "2", "3", "4")),
    "SmokingStatus": frozenset(("YES", "NO", "UNKNOWN")),
    "EthnicGroup": frozenset(
        ["ASIAN", "BLACK", "WHITE", "HISPANIC", "LATINO", "CAUCASIAN", "OTHER", "UNKNOWN", "MIXED"]
    ),
}
"""The same for what the Retain Patient Characteristics Option keeps."""

MANUFACTURERS = (
    "Agfa", "Barco", "Canon", "Carestream", "CIRS", "DRTECH", "Fuji", "Fujifilm", "GE", "GE Healthcare",
    "GE Medical Systems", "Hologic", "Imaging Dynamics", "JPI", "Kodak", "Konica", "Konica Minolta", "Lumisys",
    "Oldelft", "Philips", "Philips Medical Systems", "Rayence", "Samsung", "Samsung Electronics", "Sectra", "Shimadzu",
    "Siemens", "Siemens Healthineers", "Swissray", "Toshiba", "Vidar", "Vieworks", "medcam", "medcam phantom",
)  # fmt: skip
"""Makers of radiography equipment; any other name in Manufacturer may be a clinic's or a person's."""

PHOTOMETRIC = ("MONOCHROME1", "MONOCHROME2", "RGB")
"""How pixels are written."""
CHARACTER_SET = "ISO_IR 192"

_MAKERS = {name.casefold(): name for name in MANUFACTURERS}


def manufacturer(text: str) -> str:
    """The name of a known maker, in our spelling, or ""."""
    return _MAKERS.get(text.strip(" \0").casefold(), "")


def body_part(text: str) -> str:
    """A Defined Term for the body part: the value itself or the one word of it that is one; "" otherwise."""
    words = [word for word in re.findall(r"[A-Z]+", text.upper()) if word in _BODY_PARTS]
    return words[0] if words else ""


def constants() -> str:
    """Every word that can stand in an output without coming from a patient, for telling finds from coincidences."""
    words = [word for values in (*WORDS.values(), *CHARACTERISTICS.values()) for word in values]
    return "\n".join((*words, *MANUFACTURERS, *PHOTOMETRIC, CHARACTER_SET)).lower()
