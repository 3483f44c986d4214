"""Classes that differ in how they are shown: windows, their functions, VOI LUT tables."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from pydicom.dataset import Dataset

from medcam.dicom.file_classes.build import BIG, RAMP, SIGNED, file_of, image, table
from medcam.dicom.file_classes.case import FileClass
from medcam.dicom.file_classes.formulas import (
    Numbers,
    each,
    linear,
    linear_exact,
    lookup,
    percentile_window,
    rescale,
    sigmoid,
)

_OWN_CHOICE = ("negative width (impossible: ignored)", "Window Width missing", "no window")
"""Classes that the standard does not say how to show."""

_PLAIN = RAMP.astype(np.float64)
_MONOCHROME1 = {"PhotometricInterpretation": "MONOCHROME1"}
_CURVE = [0, 10, 40, 90, 160, 250, 255]
_CURVE_12 = [0, 300, 900, 1800, 3000, 4000, 4095]
_CURVE_16 = [0, 5000, 15000, 30000, 50000, 65000, 65535]


def windows() -> list[FileClass]:
    """Window Center and Width with each VOI LUT Function."""
    kinds: dict[str, tuple[dict[str, object], Callable[[float], float]]] = {
        "LINEAR": ({"WindowCenter": "1000", "WindowWidth": "2000"}, linear(1000, 2000)),
        "LINEAR, named": (
            {"WindowCenter": "100", "WindowWidth": "11", "VOILUTFunction": "LINEAR"},
            linear(100, 11),
        ),
        "LINEAR_EXACT": (
            {"WindowCenter": "100", "WindowWidth": "11", "VOILUTFunction": "LINEAR_EXACT"},
            linear_exact(100, 11),
        ),
        "LINEAR_EXACT, width below 1": (
            {"WindowCenter": "100", "WindowWidth": "0.5", "VOILUTFunction": "LINEAR_EXACT"},
            linear_exact(100, 0.5),
        ),
        "SIGMOID": (
            {"WindowCenter": "2000", "WindowWidth": "1500", "VOILUTFunction": "SIGMOID"},
            sigmoid(2000, 1500),
        ),
        "width 1": ({"WindowCenter": "1000", "WindowWidth": "1"}, linear(1000, 1)),
        "several windows: the first": (
            {"WindowCenter": ["1000", "3"], "WindowWidth": ["2000", "4"]},
            linear(1000, 2000),
        ),
        _OWN_CHOICE[0]: (
            {"WindowCenter": "1000", "WindowWidth": "-20"},
            percentile_window(_PLAIN),
        ),
        _OWN_CHOICE[1]: ({"WindowCenter": "1000"}, percentile_window(_PLAIN)),
        _OWN_CHOICE[2]: ({}, percentile_window(_PLAIN)),
    }
    cases = [
        _case(name, image(RAMP, bits=12, **kind), _PLAIN, each(rule, _PLAIN)) for name, (kind, rule) in kinds.items()
    ]
    for name, (kind, rule) in kinds.items():
        if name in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
            film = image(RAMP, bits=12, **kind, **_MONOCHROME1)
            cases.append(_case(f"{name}, MONOCHROME1", film, 4095 - _PLAIN, 1 - each(rule, _PLAIN)))
    return cases + _windows_in_units()


def _windows_in_units() -> list[FileClass]:
    """Windows are told in the units after the Modality LUT (C.11.2.1.2)."""
    scaled = each(rescale(0.5, -100), RAMP)
    falling = each(rescale(-1, 4095), RAMP)
    looked_up = each(lookup(_CURVE_12, 2044), RAMP)
    return [
        _case(
            "window after rescale",
            image(RAMP, bits=12, RescaleSlope="0.5", RescaleIntercept="-100", WindowCenter="900", WindowWidth="1500"),
            scaled,
            each(linear(900, 1500), scaled),
        ),
        _case(
            "window after negative slope",
            image(RAMP, bits=12, RescaleSlope="-1", RescaleIntercept="4095", WindowCenter="900", WindowWidth="1500"),
            falling,
            each(linear(900, 1500), falling),
        ),
        _case(
            "window after Modality LUT",
            image(
                RAMP,
                bits=12,
                ModalityLUTSequence=[table(_CURVE_12, first=2044)],
                WindowCenter="2000",
                WindowWidth="3000",
            ),
            looked_up,
            each(linear(2000, 3000), looked_up),
        ),
        _case(
            "window on signed values",
            image(SIGNED, bits=12, WindowCenter="-500", WindowWidth="1000"),
            SIGNED.astype(np.float64),
            each(linear(-500, 1000), SIGNED),
        ),
    ]


def tables() -> list[FileClass]:
    """VOI LUT Sequence."""
    kinds: dict[str, tuple[dict[str, object], Numbers]] = {
        "VOI LUT of 8 bits": (
            {"VOILUTSequence": [table(_CURVE, first=97, bits=8)]},
            each(lookup(_CURVE, 97, 255), RAMP),
        ),
        "VOI LUT of 8 bits, two to a word": (
            {"VOILUTSequence": [table(_CURVE, first=97, bits=8, data_vr="OW", packed=True)]},
            each(lookup(_CURVE, 97, 255), RAMP),
        ),
        "VOI LUT of 12 bits": (
            {"VOILUTSequence": [table(_CURVE_12, first=97, bits=12)]},
            each(lookup(_CURVE_12, 97, 4095), RAMP),
        ),
        "VOI LUT of 16 bits": (
            {"VOILUTSequence": [table(_CURVE_16, first=97)]},
            each(lookup(_CURVE_16, 97, 65535), RAMP),
        ),
        "VOI LUT beside a window": (
            {"VOILUTSequence": [table(_CURVE_12, first=97, bits=12)], "WindowCenter": "9", "WindowWidth": "4"},
            each(lookup(_CURVE_12, 97, 4095), RAMP),
        ),
        "several VOI LUTs: the first": (
            {"VOILUTSequence": [table(_CURVE_12, first=97, bits=12), table([0, 255], first=1, bits=8)]},
            each(lookup(_CURVE_12, 97, 4095), RAMP),
        ),
    }
    cases = [_case(name, image(RAMP, bits=12, **kind), _PLAIN, shown) for name, (kind, shown) in kinds.items()]
    return cases + _tables_turned()


def _tables_turned() -> list[FileClass]:
    """Tables that meet an inverse photometric interpretation, another byte order or a sign."""
    falling = _CURVE_12[::-1]
    ramp = each(lookup(falling, 97, 4095), RAMP)
    rising = each(lookup(_CURVE_12, 97, 4095), RAMP)
    units = each(rescale(1, -100), RAMP)
    below = [table(_CURVE_12, first=-3, bits=12, vr="SS")]
    turned: dict[str, object] = {"VOILUTSequence": [table(falling, first=97, bits=12)]}
    tabled = image(RAMP, bits=12, VOILUTSequence=[table(_CURVE_12, first=97, bits=12)], **_MONOCHROME1)
    in_words = [table(_CURVE_12, first=97, bits=12, data_vr="OW")]
    big = file_of(image(RAMP, bits=12, VOILUTSequence=in_words), BIG)
    return [
        FileClass("VOI LUT, big endian", "display", "PS3.3 C.11.2", big, _PLAIN, rising, needs_display=True),
        _case("VOI LUT, MONOCHROME1", tabled, 4095 - _PLAIN, 1 - rising),
        _case("falling VOI LUT", image(RAMP, bits=12, **turned), 4095 - _PLAIN, ramp),
        _case("falling VOI LUT, MONOCHROME1", image(RAMP, bits=12, **turned, **_MONOCHROME1), _PLAIN, 1 - ramp),
        _case(
            "VOI LUT, signed first value after rescale",
            image(RAMP, bits=12, RescaleSlope="1", RescaleIntercept="-100", VOILUTSequence=below),
            units,
            each(lookup(_CURVE_12, -3, 4095), units),
        ),
    ]


def _case(name: str, film: Dataset, values: Numbers, shown: Numbers) -> FileClass:
    told = name not in _OWN_CHOICE
    return FileClass(name, "display", "PS3.3 C.11.2", file_of(film), values, shown, needs_display=told)
