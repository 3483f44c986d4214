"""What a data set says about its pixels (Image Pixel module, DICOM PS3.3 C.7.6.3), checked before decoding."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.encaps import generate_fragments
from pydicom.uid import UID

from medcam.core.errors import NotAnImageError
from medcam.dicom.errors import BrokenDicomError, PixelDataError, converting
from medcam.dicom.header import Header
from medcam.dicom.read import has_any_pixels

MOST_PIXELS = 200_000_000
"""Pixels. The largest radiographs have about 20 million."""

LARGEST_SIDE = (1 << 16) - 1
"""Rows and Columns are US: numbers of 16 bits."""

GREY = frozenset(("MONOCHROME1", "MONOCHROME2"))
COLOUR = frozenset(("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"))
PALETTE = "PALETTE COLOR"

_CONTAINERS = {1: (1, 8, 16, 32), 3: (8, 16, 32)}
"""Bits Allocated that are read, by Samples per Pixel."""

_STORAGE = "1.2.840.10008.5.1.4.1.1."
_NOT_IMAGES = (
    "1.2.840.10008.1.3.10",  # DICOMDIR
    f"{_STORAGE}9.",  # waveforms
    f"{_STORAGE}11.",  # presentation states
    f"{_STORAGE}30",  # parametric maps
    f"{_STORAGE}66",  # raw data, registrations, segmentations, surfaces
    f"{_STORAGE}88.",  # structured reports, key objects
    f"{_STORAGE}104.",  # encapsulated documents
)
_RT_OBJECTS = f"{_STORAGE}481."
_RT_IMAGES = (f"{_STORAGE}481.1", f"{_STORAGE}481.23", f"{_STORAGE}481.24")


@dataclass(frozen=True, slots=True)
class PixelDescription:
    """The stored pixels' shape and encoding; an object that exists can be decoded as far as its header goes.

    Args:
        rows: Rows.
        columns: Columns.
        samples: Samples per pixel: 1 for grey and palette, 3 for colour.
        photometric: Photometric Interpretation.
        bits_allocated: 1 (native grey only), 8, 16 or 32.
        bits_stored: 1 to `bits_allocated`.
        high_bit: Position of the most significant stored bit.
        signed: Whether Pixel Representation is two's complement.
        planar: Planar Configuration of colour images.
    """

    rows: int
    columns: int
    samples: int
    photometric: str
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    planar: int = 0

    def __post_init__(self) -> None:
        if not (1 <= self.rows <= LARGEST_SIDE and 1 <= self.columns <= LARGEST_SIDE):
            raise PixelDataError("Rows and Columns must be positive, and fit 16 bits", code="invalid-attribute")
        if self.rows * self.columns > MOST_PIXELS:
            raise PixelDataError(f"the image has more than {MOST_PIXELS:,} pixels", code="too-large")
        if self.bits_allocated not in _CONTAINERS.get(self.samples, ()):
            raise PixelDataError(
                f"{self.samples} samples of {self.bits_allocated} bits are not read here",
                code="unsupported-pixel-format",
            )
        if not 1 <= self.bits_stored <= self.bits_allocated or not self.bits_stored - 1 <= self.high_bit:
            raise PixelDataError("Bits Stored or High Bit is impossible", code="invalid-attribute")
        if self.high_bit >= self.bits_allocated:
            raise PixelDataError("High Bit lies outside Bits Allocated", code="invalid-attribute")
        if self.photometric not in ((GREY | {PALETTE}) if self.samples == 1 else COLOUR):
            raise PixelDataError("the Photometric Interpretation is not read here", code="unsupported-photometric")

    @property
    def frame_bytes(self) -> int:
        """Length of one uncompressed frame in bytes; a last byte may be filled in part (bits packed, PS3.5 8.1.1)."""
        subsampled = self.photometric == "YBR_FULL_422"
        return -(-self.rows * self.columns * (2 if subsampled else self.samples) * self.bits_allocated // 8)

    @property
    def stored_range(self) -> tuple[int, int]:
        """Smallest and largest value that `bits_stored` can hold."""
        if self.signed:
            return -(1 << (self.bits_stored - 1)), (1 << (self.bits_stored - 1)) - 1
        return 0, (1 << self.bits_stored) - 1


def refuse_other_objects(header: Header) -> None:
    """Passes over what is not an image, and quarantines what should be one and is not.

    Raises:
        NotAnImageError: Reports, presentation states, key objects, segmentations, plans, directories and the like.
        BrokenDicomError: The data set neither says what it is nor holds an image.
        PixelDataError: The object describes an image and holds none, or its pixels are floating point numbers.
    """
    sop_class = UID(_sop_class(header))
    is_rt_object = sop_class.startswith(_RT_OBJECTS) and sop_class not in _RT_IMAGES
    if is_rt_object or sop_class.startswith(_NOT_IMAGES):
        raise NotAnImageError("the DICOM object is not an image")
    if "PixelData" in header.dataset:
        return
    if has_any_pixels(header.dataset):
        raise PixelDataError("floating point pixels are not read here", code="unsupported-pixel-format")
    if "Image Storage" in sop_class.name or header.has_any(("Rows", "Columns", "BitsAllocated")):
        raise PixelDataError("the object describes an image and holds no pixel data", code="missing-pixel-data")
    if not sop_class:
        raise BrokenDicomError("the data set neither says what it is nor holds an image")
    raise NotAnImageError("the DICOM object holds no image")


def _sop_class(header: Header) -> str:
    meta = getattr(header.dataset, "file_meta", None)
    media_class = "" if meta is None else Header(meta, header.warnings).text("MediaStorageSOPClassUID")
    return header.text("SOPClassUID") or media_class


def describe(header: Header) -> PixelDescription:
    """Reads the Image Pixel module; defaults are warned about.

    Raises:
        PixelDataError: Codes `invalid-attribute`, `too-large`, `unsupported-pixel-format`, `unsupported-photometric`.
    """
    samples = header.integer("SamplesPerPixel") or 1
    allocated = _required(header, "BitsAllocated")
    stored = _defaulted(header, "BitsStored", allocated)
    high_bit = header.integer("HighBit")
    return PixelDescription(
        rows=_required(header, "Rows"),
        columns=_required(header, "Columns"),
        samples=samples,
        photometric=_photometric(header, samples),
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=stored - 1 if high_bit is None else high_bit,
        signed=_defaulted(header, "PixelRepresentation", 0) == 1,
        planar=header.integer("PlanarConfiguration") or 0,
    )


def check_frames(header: Header, description: PixelDescription, data: bytes, *, encapsulated: bool) -> None:
    """A radiograph is one frame; refuses files with more, and files whose Number of Frames contradicts their data.

    Raises:
        PixelDataError: Codes `multi-frame`, `frame-count-mismatch`, `truncated-pixel-data`.
    """
    claimed = header.integer("NumberOfFrames")
    if claimed is None or claimed < 1:
        if claimed is not None:
            header.warn("Number of Frames is not positive: read as one frame")
        claimed = 1
    if encapsulated:
        held = 1 if claimed == 1 else _fragments(data)
    else:
        held = len(data) // description.frame_bytes
        extra = len(data) - description.frame_bytes
        if held == 1 and extra > 1:
            header.warn(f"the pixel data are {extra} bytes longer than one frame: the rest is ignored")
    if held < 1 or not data:
        raise PixelDataError("the pixel data are shorter than the image", code="truncated-pixel-data")
    if held < claimed or (claimed == 1 and held > 1):
        raise PixelDataError(
            f"Number of Frames says {claimed}, the pixel data hold {held}", code="frame-count-mismatch"
        )
    if claimed > 1:
        raise PixelDataError(
            f"the object has {claimed} frames, a radiograph has one",
            code="multi-frame",
            next_step="Export the wanted frame as an object of its own.",
        )


def _fragments(data: bytes) -> int:
    with converting("the encapsulated pixel data are damaged", PixelDataError):
        return sum(1 for _ in generate_fragments(data)) - 1  # the first one is the Basic Offset Table


def _photometric(header: Header, samples: int) -> str:
    photometric = header.token("PhotometricInterpretation")
    if not photometric:
        header.warn("Photometric Interpretation is missing: polarity is a guess")
        return "MONOCHROME2" if samples == 1 else "RGB"
    return photometric


def _required(header: Header, keyword: str) -> int:
    value = header.integer(keyword)
    if value is None:
        raise PixelDataError(f"{keyword} is missing or broken", code="invalid-attribute")
    return value


def _defaulted(header: Header, keyword: str, default: int) -> int:
    value = header.integer(keyword)
    if value is None:
        header.warn(f"{keyword} is missing: read as {default}")
        return default
    return value
