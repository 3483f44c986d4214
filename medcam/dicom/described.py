"""What the free texts of a header say about view and body part, where the attributes made for it are silent.

Technologists name series and protocols in words: "CHEST PA", "Thorax seitlich", "HAND AP". Only our own answer
leaves this module, never the text, which may name a patient.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from medcam.core.radiograph import View
from medcam.dicom.header import Header

CHEST, OTHER = "chest", "other"
FRONTAL, LATERAL = "frontal", "lateral"

_ABBREVIATED = re.compile(r"\b([AP])\.\s?([AP])\b")
_TEXTS = (
    "SeriesDescription",
    "ProtocolName",
    "AcquisitionDeviceProcessingDescription",
    "PerformedProcedureStepDescription",
    "RequestedProcedureDescription",
    "StudyDescription",
)
"""From the image's own to the whole study's, which may cover several views: the first text that decides is believed."""

_PA = frozenset(("PA", "POSTEROANTERIOR"))
_AP = frozenset(("AP", "ANTEROPOSTERIOR", "BEDSIDE", "SUPINE"))
_FRONTAL = _PA | _AP | frozenset(("FRONTAL", "FRONTALE", "FACE", "FRONTE"))
_LATERAL = frozenset(
    ("LAT", "LATERAL", "LATERALE", "LATERAAL", "LL", "RL", "LLAT", "RLAT", "SEITLICH", "PROFIL", "PROFILE", "PERFIL")
)
_CHEST = frozenset(
    ("CHEST", "CXR", "THORAX", "TORAX", "TORACE", "THORACIQUE", "LUNG", "LUNGS", "LUNGE", "PULMON", "POUMONS", "BRUST")
)
_TRUNK = frozenset(("ABDOMEN", "ABD", "KUB", "PELVIS", "BECKEN", "RIB", "RIBS", "RIPPEN", "STERNUM", "BREAST", "MAMMO"))
_SPINE = frozenset(("SPINE", "CSPINE", "TSPINE", "LSPINE", "CERVICAL", "LUMBAR", "BWS", "LWS", "HWS", "NECK"))
_HEAD = frozenset(("SKULL", "SINUS", "SINUSES", "FACIAL", "MANDIBLE", "TEETH", "DENTAL", "ORBIT"))
_ARM = frozenset(
    ("CLAVICLE", "SCAPULA", "SHOULDER", "SCHULTER", "HUMERUS", "ELBOW", "FOREARM", "WRIST", "HAND", "FINGER")
)
_LEG = frozenset(("HIP", "FEMUR", "KNEE", "KNIE", "TIBIA", "ANKLE", "FOOT", "FUSS", "HEEL", "TOE", "EXTREMITY"))
_OTHER = _TRUNK | _SPINE | _HEAD | _ARM | _LEG


def described_view(header: Header) -> str:
    """The plane that a text names alone: "frontal", "lateral" or ""."""
    return _first(header, _FRONTAL, _LATERAL, FRONTAL, LATERAL)


def described_part(header: Header) -> str:
    """The body part that a text names alone: "chest", "other" or ""."""
    return _first(header, _CHEST, _OTHER, CHEST, OTHER)


def described_projection(header: Header) -> View:
    """PA or AP where a text names one of the two alone, else unknown."""
    named = {"": View.UNKNOWN, "PA": View.PA, "AP": View.AP}
    return named[_first(header, _PA, _AP | _LATERAL, "PA", "AP")] if described_view(header) == FRONTAL else View.UNKNOWN


def _first(header: Header, one: frozenset[str], two: frozenset[str], first: str, second: str) -> str:
    for words in _words(header):
        if bool(words & one) != bool(words & two):
            return first if words & one else second
        if words & one:  # both: this text covers several views or parts, and so do those of what it belongs to
            return ""
    return ""


def _words(header: Header) -> Iterator[set[str]]:
    for keyword in _TEXTS:
        text = _ABBREVIATED.sub(r"\1\2", header.token(keyword))
        yield set(re.findall(r"[A-Z]+", text.replace("-SPINE", "SPINE")))
