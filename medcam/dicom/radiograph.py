"""From a DICOM file to a `Radiograph`: the story of reading."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import UID

from medcam.core.arrays import BoolArray, FloatArray
from medcam.core.display import DisplayWindow, VoiFunction
from medcam.core.radiograph import Identity, Radiograph, View
from medcam.dicom.described import described_part, described_projection, described_view
from medcam.dicom.description import PALETTE, refuse_other_objects
from medcam.dicom.errors import PixelDataError, converting
from medcam.dicom.grayscale import is_inverse, modality_values, padding_mask, stored_values, warn_about_sign
from medcam.dicom.header import Header
from medcam.dicom.pixels import DecodedPixels, decode_pixels, luminance
from medcam.dicom.plane import read_aspect, read_body_part, read_laterality, read_orientation, read_spacing, read_view
from medcam.dicom.quiet import quiet
from medcam.dicom.read import read_file
from medcam.dicom.uids import derived_uid, is_valid_uid
from medcam.dicom.voi import display_window, read_voi

_ATTRIBUTES = {
    "modality": "Modality",
    "view_position": "ViewPosition",
    "photometric_interpretation": "PhotometricInterpretation",
    "presentation_intent": "PresentationIntentType",
    "manufacturer": "Manufacturer",
    "manufacturer_model": "ManufacturerModelName",
}
_OVERLAY_GROUPS = range(0x6000, 0x6020, 2)
_UIDS = {
    "sop_instance_uid": "SOPInstanceUID",
    "series_instance_uid": "SeriesInstanceUID",
    "study_instance_uid": "StudyInstanceUID",
}


@dataclass(frozen=True, eq=False)
class _Image:
    pixels: FloatArray = field(repr=False)
    window: DisplayWindow
    padding: BoolArray | None = field(repr=False)
    steps: tuple[str, ...]


def load_radiograph(path: Path | str) -> Radiograph:
    """Reads a DICOM file as a radiograph.

    Args:
        path: A file with or without preamble, file meta information and extension, in any encoding and any transfer
            syntax that a codec here decodes.

    Returns:
        The radiograph: pixels after the Modality LUT, polarity "denser is brighter", window kept beside them.

    Raises:
        NotDicomError: No DICOM (`not-dicom`); skip it.
        NotAnImageError: DICOM without an image, such as a report (`not-an-image`); skip it.
        InputError: Anything that cannot be read; its code says why.
    """
    source = read_file(path)
    return radiograph_from_dataset(source.dataset, sha256=source.sha256)


def radiograph_from_dataset(dataset: Dataset, *, sha256: str | None = None) -> Radiograph:
    """Makes a radiograph of a data set in memory, which is left as it is.

    Args:
        dataset: A single-frame image.
        sha256: Digest of the file it came from; that of its pixel data element by default.

    Raises:
        NotAnImageError: The data set is no image.
        InputError: Its pixels cannot be read; the code says why.
    """
    with quiet(), converting("the DICOM object cannot be read", PixelDataError):
        header = Header(dataset)
        refuse_other_objects(header)
        decoded = decode_pixels(header)
        image = _colour_image(decoded, header) if decoded.is_colour else _grey_image(decoded, header)
        _warn_about_content(header)
        spacing = read_spacing(header)
        digest = sha256 or hashlib.sha256(bytes(dataset.PixelData)).hexdigest()
        return Radiograph(
            pixels=image.pixels,
            window=image.window,
            padding=image.padding,
            spacing=spacing,
            view=_view(header),
            laterality=read_laterality(header),
            patient_orientation=read_orientation(header),
            identity=identity_of(header, digest),
            attributes=_attributes(header, decoded.transfer_syntax, aspect=None if spacing else read_aspect(header)),
            sha256=digest,
            steps=image.steps,
            warnings=tuple(header.warnings),
        )


def _grey_image(decoded: DecodedPixels, header: Header) -> _Image:
    description, container = decoded.description, decoded.values
    little = header.dataset.original_encoding[1] is not False
    stored = stored_values(container, description, native=decoded.is_native, lossy=decoded.is_lossy)
    padding = padding_mask(container, stored, description, header)
    modality = modality_values(stored, description, header, little_endian=little)
    low, high = sorted(modality.ends)
    voi = read_voi(header, (low, high), little_endian=little)
    inverse = is_inverse(header)
    # A falling VOI table inverts as well: densities must come out bright whichever attribute says so.
    flipped = inverse != voi.falls
    mirror = low + high if flipped else None
    pixels = modality.values if mirror is None else np.float32(mirror) - modality.values
    visible = pixels.ravel() if padding is None else pixels[~padding]
    if padding is not None:
        # Padding is no air and no bone: it takes the darkest value, so that no later step sees a bright frame.
        pixels = np.where(padding, visible.min(), pixels)
    warn_about_sign(header, falling=modality.falling != flipped)
    stray = stored is not container and not np.array_equal(stored, container)
    steps = (
        "Pixel Padding masked" if padding is not None else "",
        f"Bits Stored {description.bits_stored} of {description.bits_allocated}" if stray else "",
        modality.step,
        _polarity_step(inverse=inverse, voi_falls=voi.falls),
        voi.step,
    )
    window = display_window(voi, mirror=mirror, inverse=inverse, visible=visible)
    return _Image(pixels.astype(np.float32, copy=False), window, padding, tuple(step for step in steps if step))


def _polarity_step(*, inverse: bool, voi_falls: bool) -> str:
    if inverse and voi_falls:
        return "not inverted: a falling VOI LUT undoes MONOCHROME1 or Presentation LUT Shape INVERSE"
    if inverse:
        return "inverted once: MONOCHROME1 or Presentation LUT Shape INVERSE"
    return "inverted once: falling VOI LUT" if voi_falls else ""


def _colour_image(decoded: DecodedPixels, header: Header) -> _Image:
    header.warn("the image is in colour and was turned to grey: it may be a screen shot with markings")
    largest = float(np.iinfo(decoded.values.dtype).max)
    if decoded.description.photometric != PALETTE:
        largest = float((1 << decoded.description.bits_stored) - 1)
    window = DisplayWindow(VoiFunction.LINEAR_EXACT, largest / 2.0, largest, source="full-range")
    return _Image(luminance(decoded.values), window, None, ("colour to luminance (ITU-R BT.601)",))


def identity_of(header: Header, digest: str) -> Identity:
    """UIDs as found, valid or not. A missing one is derived from the digest, so that objects do not fall together."""
    uids = {}
    for name, keyword in _UIDS.items():
        uid = header.text(keyword)
        if not uid:
            header.warn(f"{keyword} is missing: one was derived from the content")
            uid = derived_uid("missing", keyword, digest)
        elif not is_valid_uid(uid):
            header.warn(f"{keyword} is not a valid UID")
        uids[name] = uid
    return Identity(sop_class_uid=header.text("SOPClassUID"), **uids)


def _view(header: Header) -> View:
    """The view as stated, else as described in words where it is a frontal one."""
    stated = read_view(header)
    return described_projection(header) if stated is View.UNKNOWN else stated


def _attributes(header: Header, syntax: UID, aspect: float | None) -> dict[str, str]:
    found = {name: header.text(keyword) for name, keyword in _ATTRIBUTES.items()}
    found |= {
        "body_part": read_body_part(header),
        "described_part": described_part(header),
        "described_view": described_view(header),
        "transfer_syntax": str(syntax),
        "pixel_aspect": "" if aspect in (None, 1.0) else repr(aspect),
    }
    return {name: value for name, value in found.items() if value}


def _warn_about_content(header: Header) -> None:
    if header.token("PresentationIntentType") == "FOR PROCESSING":
        header.warn("the image is raw (for processing): it was not made to be looked at")
    if header.token("BurnedInAnnotation") == "YES":
        header.warn("the image has burned-in annotation")
    if any(tag.group in _OVERLAY_GROUPS for tag in header.dataset.keys()):  # noqa: SIM118 - iterating yields elements
        header.warn("the image has overlay graphics, which are not shown")
