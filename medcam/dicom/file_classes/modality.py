"""Classes of the Modality LUT: Rescale Slope and Intercept, and tables."""

from __future__ import annotations

from pydicom.dataset import Dataset

from medcam.dicom.file_classes.build import BIG, IMPLICIT, RAMP, SIGNED, WIDE, file_of, image, table
from medcam.dicom.file_classes.case import FileClass
from medcam.dicom.file_classes.formulas import Numbers, each, lookup, rescale

_GROUP, _SECTION = "Modality LUT", "PS3.3 C.11.1"
Films = dict[str, tuple[Dataset, Numbers]]

_FALLING = list(range(4000, 400, -1))
_RISING = [7, 9, 14, 30, 200, 1000, 4000, 65535]
_FEW = [7, 9, 14, 30, 77, 120, 200, 255]
"""The same in eight bits."""


def modality() -> list[FileClass]:
    """Rescale Slope and Intercept, and tables."""
    films = {**_rescaled(), **_looked_up()}
    cases = [FileClass(name, _GROUP, _SECTION, file_of(film), values) for name, (film, values) in films.items()]
    return cases + _in_other_orders()


def _rescaled() -> Films:
    return {
        "rescale": (_film(RescaleSlope="2", RescaleIntercept="-10"), each(rescale(2, -10), RAMP)),
        "rescale, fractional": (_film(RescaleSlope="0.25", RescaleIntercept="0.5"), each(rescale(0.25, 0.5), RAMP)),
        "rescale, negative slope": (
            _film(RescaleSlope="-1", RescaleIntercept="4095"),
            each(rescale(-1, 4095), RAMP),
        ),
        "rescale, negative slope, MONOCHROME1": (
            _film(RescaleSlope="-1", RescaleIntercept="4095", PhotometricInterpretation="MONOCHROME1"),
            4095 - each(rescale(-1, 4095), RAMP),
        ),
    }


def _looked_up() -> Films:
    inverse = [table(_FALLING, first=100)]
    return {
        "Modality LUT of 16 bits": (
            _film(ModalityLUTSequence=[table(_RISING, first=1000)]),
            each(lookup(_RISING, 1000), RAMP),
        ),
        "Modality LUT of 8 bits": (
            _film(ModalityLUTSequence=[table(_FEW, first=1000, bits=8)]),
            each(lookup(_FEW, 1000), RAMP),
        ),
        "Modality LUT of 8 bits, two to a word": (
            _film(ModalityLUTSequence=[table(_FEW, first=2044, bits=8, data_vr="OW", packed=True)]),
            each(lookup(_FEW, 2044), RAMP),
        ),
        "Modality LUT as OW": (
            _film(ModalityLUTSequence=[table(_RISING, first=2044, data_vr="OW")]),
            each(lookup(_RISING, 2044), RAMP),
        ),
        "Modality LUT, inverse": (_film(ModalityLUTSequence=inverse), each(lookup(_FALLING, 100), RAMP)),
        "Modality LUT, inverse, MONOCHROME1": (
            _film(ModalityLUTSequence=inverse, PhotometricInterpretation="MONOCHROME1"),
            4401 - each(lookup(_FALLING, 100), RAMP),
        ),
        "Modality LUT, signed first value": (
            image(SIGNED, bits=12, ModalityLUTSequence=[table(_RISING, first=-4, vr="SS")]),
            each(lookup(_RISING, -4), SIGNED),
        ),
        "Modality LUT, signed first value written as US": (
            image(SIGNED, bits=12, ModalityLUTSequence=[table(_RISING, first=65532)]),
            each(lookup(_RISING, -4), SIGNED),
        ),
        "Modality LUT of 65536 entries": (
            image(WIDE, ModalityLUTSequence=[table(list(range(65535, -1, -1)), data_vr="OW")]),
            65535.0 - WIDE,
        ),
    }


def _in_other_orders() -> list[FileClass]:
    """Tables whose words lie as the transfer syntax says."""
    cases = []
    for name, syntax in (("implicit VR", IMPLICIT), ("big endian", BIG)):
        film = _film(ModalityLUTSequence=[table(_RISING, first=2044, data_vr="OW")])
        values = each(lookup(_RISING, 2044), RAMP)
        cases.append(FileClass(f"Modality LUT, {name}", _GROUP, _SECTION, file_of(film, syntax), values))
    film = _film(ModalityLUTSequence=[table(_FEW, first=2044, bits=8, data_vr="OW", packed=True)])
    values = each(lookup(_FEW, 2044), RAMP)
    name = "Modality LUT of 8 bits, two to a word, big endian"
    return [*cases, FileClass(name, _GROUP, _SECTION, file_of(film, BIG), values)]


def _film(**attributes: object) -> Dataset:
    return image(RAMP, bits=12, **attributes)
