"""Classes of films that arrive as secondary captures in colour."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.pixels.encoders.base import JPEG2000Encoder, JPEG2000LosslessEncoder

from medcam.dicom.file_classes.build import SECONDARY_CAPTURE, encapsulated, file_of, image
from medcam.dicom.file_classes.case import FileClass
from medcam.dicom.file_classes.encodings import BASELINE, J2K, J2K_LOSSLESS
from medcam.dicom.file_classes.formulas import Numbers, each, luminance
from medcam.dicom.file_classes.jpeg import sequential_jpeg

Picture = npt.NDArray[np.uint8]


def colours() -> list[FileClass]:
    """RGB, YBR and palettes: luminance is what is left of them."""
    picture, ybr = _picture(), _ybr()
    grey = np.repeat(picture[..., :1], 3, axis=2)
    planar = _capture(picture, PlanarConfiguration=1)
    planar.PixelData = np.moveaxis(picture, 2, 0).tobytes()
    wide = picture.astype(np.uint16) * 16
    kinds: dict[str, tuple[bytes, Numbers, float]] = {
        "RGB": (file_of(_capture(picture)), _y(picture), 0.01),
        "RGB, all channels equal": (file_of(_capture(grey)), grey[..., 0].astype(np.float64), 0),
        "RGB, planar": (file_of(planar), _y(picture), 0.01),
        "RGB, 12 of 16 bits, stray bits": (
            file_of(_capture(wide | np.uint16(0x5000), bits=12)),
            _y(wide),
            0.1,
        ),
        "YBR_FULL": (file_of(_capture(ybr, PhotometricInterpretation="YBR_FULL")), ybr[..., 0].astype(np.float64), 1.5),
        "YBR_FULL_422": (file_of(_subsampled(ybr)), ybr[..., 0].astype(np.float64), 1.5),
        "YBR_FULL, JPEG baseline": (
            encapsulated(_capture(ybr, PhotometricInterpretation="YBR_FULL"), BASELINE, sequential_jpeg(ybr, 8)),
            ybr[..., 0].astype(np.float64),
            2.5,
        ),
        "YBR_RCT, JPEG 2000 lossless": (_jpeg_2000(picture, "YBR_RCT"), _y(picture), 0.01),
        "YBR_ICT, JPEG 2000": (_jpeg_2000(picture, "YBR_ICT"), _y(picture), 6),
        "PALETTE COLOR of 16 bits": (file_of(_palette(16)), _through_palette(257), 1),
        "PALETTE COLOR of 8 bits": (file_of(_palette(8)), _through_palette(1), 0.01),
    }
    section = "PS3.3 C.7.6.3.1.2, C.7.6.3.1.3"
    return [
        FileClass(name, "colour", section, data, values, tolerance=loss) for name, (data, values, loss) in kinds.items()
    ]


def _picture() -> Picture:
    """Soft, with a colour of its own in each corner."""
    rows, columns = np.mgrid[0:40, 0:48]
    return np.stack([rows * 6, columns * 5, 255 - rows * 3 - columns * 2], axis=-1).astype(np.uint8)


def _ybr() -> Picture:
    """Y over most of its range, with so little colour that every value has its red, green and blue."""
    rows, columns = np.mgrid[0:40, 0:48]
    blue = 128 + (columns // 2) % 5
    return np.stack([30 + rows * 3 + columns, blue, 128 - rows % 4], axis=-1).astype(np.uint8)


def _y(picture: npt.NDArray[np.integer]) -> Numbers:
    flat = [luminance(*map(float, pixel)) for pixel in picture.reshape(-1, 3)]
    return np.array(flat).reshape(picture.shape[:2])


def _capture(stored: npt.NDArray[np.generic], **attributes: object) -> Dataset:
    bits = attributes.pop("bits", None)
    film = image(stored, bits=bits if isinstance(bits, int) else None, **attributes)
    film.SOPClassUID, film.Modality = SECONDARY_CAPTURE, "OT"
    return film


def _subsampled(ybr: Picture) -> Dataset:
    """Y Y Cb Cr for every two pixels (C.7.6.3.1.2); both of a pair have the first one's colour."""
    pairs = ybr.reshape(-1, 2, 3)
    packed = np.stack([pairs[:, 0, 0], pairs[:, 1, 0], pairs[:, 0, 1], pairs[:, 0, 2]], axis=-1)
    return _capture(ybr, PhotometricInterpretation="YBR_FULL_422", PixelData=packed.astype(np.uint8).tobytes())


def _jpeg_2000(picture: Picture, photometric: str) -> bytes:
    encoder, psnr = (JPEG2000LosslessEncoder, None) if photometric == "YBR_RCT" else (JPEG2000Encoder, [60.0])
    options: dict[str, Any] = {} if psnr is None else {"j2k_psnr": psnr}
    stream = encoder.encode(
        picture,
        rows=picture.shape[0],
        columns=picture.shape[1],
        samples_per_pixel=3,
        planar_configuration=0,
        bits_allocated=8,
        bits_stored=8,
        pixel_representation=0,
        number_of_frames=1,
        photometric_interpretation=photometric,
        **options,
    )
    syntax = J2K_LOSSLESS if photometric == "YBR_RCT" else J2K
    return encapsulated(_capture(picture, PhotometricInterpretation=photometric), syntax, stream)


_ENTRIES = 64


def _indices() -> Picture:
    return (np.arange(40 * 48) % (_ENTRIES + 6)).reshape(40, 48).astype(np.uint8)


def _palette(bits: int) -> Dataset:
    film = _capture(_indices(), PhotometricInterpretation="PALETTE COLOR")
    scale = 257 if bits == 16 else 1
    for colour, rule in (("Red", 1), ("Green", 2), ("Blue", 3)):
        entries = [index * rule * scale for index in range(_ENTRIES)]
        data = np.asarray(entries, "<u2" if bits == 16 else "u1").tobytes()
        setattr(film, f"{colour}PaletteColorLookupTableDescriptor", [_ENTRIES, 0, bits])
        setattr(film, f"{colour}PaletteColorLookupTableData", data)
    return film


def _through_palette(scale: int) -> Numbers:
    """Indices beyond the palette take its last entry (C.7.6.3.1.5)."""
    clipped = np.minimum(_indices(), _ENTRIES - 1).astype(np.float64)
    return each(lambda index: luminance(index * scale, 2 * index * scale, 3 * index * scale), clipped)
