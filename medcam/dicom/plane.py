"""What the attributes say about the image plane: spacing, view, laterality, orientation."""

from __future__ import annotations

from medcam.core.radiograph import PixelSpacing, View
from medcam.dicom.header import Header

_PROJECTIONS = frozenset(("CR", "DX", "RG", "MG", "IO", "PX", "XA", "RF", "OT", "SC", ""))

MOST_UNEQUAL = 4
"""Times that a pixel may be longer than wide. Plates that were scanned with unequal pixels stay below 2."""

_VIEWS = {
    "PA": View.PA,
    "AP": View.AP,
    "POSTEROANTERIOR": View.PA,
    "ANTEROPOSTERIOR": View.AP,
    "LL": View.LATERAL,
    "RL": View.LATERAL,
    "LAT": View.LATERAL,
    "LATERAL": View.LATERAL,
    "LLAT": View.LATERAL,
    "RLAT": View.LATERAL,
}
_VIEW_CODES = {
    ("SCT", "272479007"): View.PA,
    ("SRT", "R-10214"): View.PA,
    ("SNM3", "R-10214"): View.PA,
    ("SCT", "399348003"): View.AP,
    ("SRT", "R-10206"): View.AP,
    ("SNM3", "R-10206"): View.AP,
    ("SCT", "399067008"): View.LATERAL,
    ("SRT", "R-102CD"): View.LATERAL,
    ("SCT", "399173006"): View.LATERAL,
    ("SRT", "R-10236"): View.LATERAL,
    ("SNM3", "R-10236"): View.LATERAL,
    ("SCT", "399198007"): View.LATERAL,
    ("SRT", "R-10232"): View.LATERAL,
    ("SNM3", "R-10232"): View.LATERAL,
}
"""CID 4010 "DX View"; SCT is SNOMED CT, SRT and SNM3 its older style of codes."""

_CHEST_CODES = {
    ("SCT", "816094009"): "CHEST",
    ("SCT", "51185008"): "CHEST",
    ("SRT", "T-D3000"): "CHEST",
    ("SNM3", "T-D3000"): "CHEST",
}


def read_spacing(header: Header) -> PixelSpacing | None:
    """Pixel Spacing, Imager Pixel Spacing or Nominal Scanned Pixel Spacing in mm, or None.

    For a projection only a calibrated Pixel Spacing lies at the patient (PS3.3 10.7.1.3): one with a Calibration Type,
    or one that differs from the Imager Pixel Spacing beside it.
    """
    pixel = _positive_pair(header, "PixelSpacing")
    imager = _positive_pair(header, "ImagerPixelSpacing")
    if pixel is not None:
        calibrated = bool(header.text("PixelSpacingCalibrationType")) or (imager is not None and imager != pixel)
        return PixelSpacing(*pixel, at_patient=calibrated or header.token("Modality") not in _PROJECTIONS)
    detector = imager or _positive_pair(header, "NominalScannedPixelSpacing")
    return None if detector is None else PixelSpacing(*detector, at_patient=False)


def read_aspect(header: Header) -> float:
    """Height of a pixel divided by its width by Pixel Aspect Ratio (0028,0034), PS3.3 C.7.6.3.1.7; 1 without one.

    It is asked for only where a file has no spacing; `Radiograph.pixel_aspect` prefers that.
    """
    ratio = _positive_pair(header, "PixelAspectRatio")
    return 1.0 if ratio is None else ratio[0] / ratio[1]


def read_view(header: Header) -> View:
    """View Position (0018,5101), else View Code Sequence (0054,0220), else whether Patient Orientation is lateral."""
    words = header.token("ViewPosition").replace("-", "").replace("_", " ").split()
    for word in words:
        if word in _VIEWS:
            return _VIEWS[word]
    for code in header.codes("ViewCodeSequence"):
        if code in _VIEW_CODES:
            return _VIEW_CODES[code]
    rows = next(iter(read_orientation(header)), "")
    return View.LATERAL if not words and rows[:1] in ("A", "P") else View.UNKNOWN


def read_laterality(header: Header) -> str:
    """Image Laterality (0020,0062) or Laterality (0020,0060): "R", "L" or ""."""
    for keyword in ("ImageLaterality", "Laterality"):
        value = header.token(keyword)
        if value in ("R", "L"):
            return value
    return ""


def read_orientation(header: Header) -> tuple[str, ...]:
    """Patient Orientation (0020,0020): where rows and columns run to, such as ("L", "F"); empty when unknown."""
    values = tuple(value.upper() for value in header.texts("PatientOrientation"))
    if len(values) != 2 or not all(value and set(value) <= set("ALPRHF") for value in values):
        return ()
    return values


def read_body_part(header: Header) -> str:
    """Body Part Examined (0018,0015), else CHEST where Anatomic Region Sequence (0008,2218) says so, else ""."""
    part = header.token("BodyPartExamined")
    if part:
        return part
    codes = (_CHEST_CODES.get(code) for code in header.codes("AnatomicRegionSequence"))
    return next((name for name in codes if name), "")


def _positive_pair(header: Header, keyword: str) -> tuple[float, float] | None:
    values = header.numbers(keyword)
    if not values:
        return None
    if len(values) == 2 and min(values) > 0:
        if max(values) <= MOST_UNEQUAL * min(values):
            return values[0], values[1]
        header.warn(f"{keyword} would make pixels more than {MOST_UNEQUAL} times as long as wide: it is ignored")
        return None
    header.warn(f"{keyword} is not two positive numbers: it is ignored")
    return None
