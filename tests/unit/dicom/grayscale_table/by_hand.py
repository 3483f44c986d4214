"""What each class must give, worked out by hand from the first row of its stored values.

The usual row holds 0, 1, 2, 1000, 2047, 2048, 4000, 4095; around zero it is -2048, -2047, -2046, -1048, -1, 0, 1952,
2047.
"""

from __future__ import annotations

_SAME = [0, 1, 2, 1000, 2047, 2048, 4000, 4095]
_TURNED = [4095, 4094, 4093, 3095, 2048, 2047, 95, 0]
_AROUND_ZERO = [-2048, -2047, -2046, -1048, -1, 0, 1952, 2047]
# 7 up to 2044 entries below, then 30 for 2044 + 3 = 2047, 200 for 2048, the last one from 2051 on
_LOOKED_UP = [7, 7, 7, 7, 30, 200, 65535, 65535]
_FEW = [7, 7, 7, 7, 30, 77, 255, 255]

PIXELS = {
    "MONOCHROME2": _SAME,
    # 0 + 4095 - v
    "MONOCHROME1": _TURNED,
    "MONOCHROME2, IDENTITY": _SAME,
    "MONOCHROME2, INVERSE": _TURNED,
    "MONOCHROME1, INVERSE (every DX of that kind)": _TURNED,
    "MONOCHROME1, IDENTITY (a contradiction)": _TURNED,
    # 2 v - 10
    "rescale": [-10, -8, -6, 1990, 4084, 4086, 7990, 8180],
    # v / 4 + 1 / 2
    "rescale, fractional": [0.5, 0.75, 1.0, 250.5, 512.25, 512.5, 1000.5, 1024.25],
    "rescale, negative slope": _TURNED,
    "rescale, negative slope, MONOCHROME1": _SAME,
    # entry v - 1000, the first one up to 1000, the last one from 1007 on
    "Modality LUT of 16 bits": [7, 7, 7, 7, 65535, 65535, 65535, 65535],
    "Modality LUT of 8 bits": [7, 7, 7, 7, 255, 255, 255, 255],
    "Modality LUT of 8 bits, two to a word": _FEW,
    "Modality LUT of 8 bits, two to a word, big endian": _FEW,
    "Modality LUT as OW": _LOOKED_UP,
    "Modality LUT, implicit VR": _LOOKED_UP,
    "Modality LUT, big endian": _LOOKED_UP,
    # 4000 up to 100, then 4000 - (v - 100), 401 from 3699 on
    "Modality LUT, inverse": [4000, 4000, 4000, 3100, 2053, 2052, 401, 401],
    # 401 + 4000 less that
    "Modality LUT, inverse, MONOCHROME1": [401, 401, 401, 1301, 2348, 2349, 4000, 4000],
    # entry v + 4
    "Modality LUT, signed first value": [7, 7, 7, 7, 30, 200, 65535, 65535],
    "Modality LUT, signed first value written as US": [7, 7, 7, 7, 30, 200, 65535, 65535],
    # 65535 - v for 0, 16, 32, 16000, 32752, 32768, 64000, 65535
    "Modality LUT of 65536 entries": [65535, 65519, 65503, 49535, 32783, 32767, 1535, 0],
    "8 of 8 bits": [0, 0, 0, 62, 127, 128, 250, 255],
    "8 of 8 bits, odd length": [0, 0, 0, 62, 127, 128, 250],
    "10 of 16 bits": [0, 0, 0, 250, 511, 512, 1000, 1023],
    "15 of 16 bits": [0, 8, 16, 8000, 16376, 16384, 32000, 32760],
    "16 of 16 bits": [0, 16, 32, 16000, 32752, 32768, 64000, 65535],
    "20 of 32 bits": [0, 256, 512, 256000, 524032, 524288, 1024000, 1048320],
    "signed 12 of 16 bits": _AROUND_ZERO,
    # numpy divides downwards: -2047 / 16 is -128
    "signed 8 of 8 bits": [-128, -128, -128, -66, -1, 0, 122, 127],
    # 16 v, then -32768 + 32767 - 16 v
    "signed 16 of 16 bits, MONOCHROME1": [32767, 32751, 32735, 16767, 15, -1, -31233, -32753],
    "signed, sign not extended": _AROUND_ZERO,
    "stray bits above Bits Stored": _SAME,
    "High Bit 15, Bits Stored 12": _SAME,
    "High Bit 15, stray bits below": _SAME,
    "overlay in an unused bit": _SAME,
    "overlay of its own (60xx)": _SAME,
    # above 1500 or not
    "1 of 1 bit": [0, 0, 0, 0, 1, 1, 1, 1],
    "Pixel Representation missing": _SAME,
    "High Bit missing": _SAME,
    "Bits Stored missing": [0, 16, 32, 16000, 32752, 32768, 64000, 65520],
    "Photometric Interpretation missing": _SAME,
    # the first row is the frame: it takes the darkest of the rest, 0 // 2 + 100
    "padding, MONOCHROME2": [100] * 12,
    # 4095 - (4095 // 2 + 100)
    "padding, MONOCHROME1": [1948] * 12,
    "padding black, MONOCHROME1": [1948] * 12,
    "padding range": [100] * 12,
    "padding range, MONOCHROME1": [1948] * 12,
    "padding, High Bit 15, stray bits below": [100] * 12,
    "padding beyond Bits Stored": [100] * 12,
    # 9000 - 2 * 2147
    "padding and rescale": [4706] * 12,
    "implicit VR": _SAME,
    "big endian": _SAME,
    "big endian, 8 bits in OW words": [0, 0, 0, 62, 127, 128, 250],
    "big endian, signed": _AROUND_ZERO,
    "big endian, 32 bits": [0, 256, 512, 256000, 524032, 524288, 1024000, 1048320],
    "deflated": _SAME,
    "no preamble": _SAME,
    "no preamble, no meta information, implicit": _SAME,
    "no preamble, no meta information, explicit": _SAME,
    "no preamble, no meta information, big endian": _SAME,
    "meta information names a codec, pixels are native": _SAME,
    "24 bytes after the pixels": _SAME,
    "Number of Frames 1": _SAME,
    # 40 for each column
    "RLE, 16 bits": [0, 40, 80, 120, 160, 200, 240, 280],
    "RLE, signed": [-2048, -2008, -1968, -1928, -1888, -1848, -1808, -1768],
    "JPEG lossless SV1, signed": _AROUND_ZERO,
    "window after rescale": [-100, -99.5, -99, 400, 923.5, 924, 1900, 1947.5],
    "window after negative slope": _TURNED,
    # 0 up to 2044, 1800 for the fourth entry, 3000 for the fifth
    "window after Modality LUT": [0, 0, 0, 0, 1800, 3000, 4095, 4095],
    "window on signed values": _AROUND_ZERO,
    "falling VOI LUT": _TURNED,
    "falling VOI LUT, MONOCHROME1": _SAME,
    "VOI LUT, MONOCHROME1": _TURNED,
}
"""First row of `pixels`."""

SHOWN = {
    # (v - 999.5) / 1999 + 0.5 for 0, 1, 2, 1000: 0, 0.0005, 0.0010, 0.50025; then 1 from 1999 on
    "LINEAR": [0, 0, 0, 128, 255, 255, 255, 255],
    "LINEAR, MONOCHROME1": [255, 255, 255, 127, 0, 0, 0, 0],
    # 1 from 105 on, 0 up to 94.5
    "LINEAR, named": [0, 0, 0, 255, 255, 255, 255, 255],
    "LINEAR_EXACT": [0, 0, 0, 255, 255, 255, 255, 255],
    "LINEAR_EXACT, width below 1": [0, 0, 0, 255, 255, 255, 255, 255],
    # 1 / (1 + exp(-4 (v - 2000) / 1500)): 1 / (1 + e^5.333) = 0.00480, e^2.667 -> 0.06497, e^-0.1253 -> 0.53129,
    # e^-0.128 -> 0.53196, e^-5.333 -> 0.99520, e^-5.587 -> 0.99626
    "SIGMOID": [1, 1, 1, 17, 135, 136, 254, 254],
    # at most 999.5 is black
    "width 1": [0, 0, 0, 255, 255, 255, 255, 255],
    "several windows: the first": [0, 0, 0, 128, 255, 255, 255, 255],
    # values -100, -99.5, -99, 400, 923.5, 924: (x - 899.5) / 1499 + 0.5 = 0.16678, 0.51601, 0.51634
    "window after rescale": [0, 0, 0, 43, 132, 132, 255, 255],
    # 4095 - v: 3095 and 2048 are above 1649.5; 95 gives -0.0367
    "window after negative slope": [255, 255, 255, 255, 255, 255, 0, 0],
    # 0, 1800, 3000, 4095: (1800 - 1999.5) / 2999 + 0.5 = 0.43348, 0.83361
    "window after Modality LUT": [0, 0, 0, 0, 111, 213, 255, 255],
    # (v + 500.5) / 999 + 0.5: -1048 below -1000, -1 -> 1.0 (0.99999 of it), 0 above
    "window on signed values": [0, 0, 0, 0, 255, 255, 255, 255],
    "VOI LUT of 8 bits": [0, 0, 0, 255, 255, 255, 255, 255],
    "falling VOI LUT": [255, 255, 255, 0, 0, 0, 0, 0],
    "falling VOI LUT, MONOCHROME1": [0, 0, 0, 255, 255, 255, 255, 255],
    "VOI LUT, MONOCHROME1": [255, 255, 255, 0, 0, 0, 0, 0],
}
"""First row of `display()`."""

SECOND_ROW = {
    # 4095, 3, 90, 95, 100, 105, 110, 0 with 100 / 11: (v - 99.5) / 10 + 0.5 = .05, .55, 1.05
    "LINEAR, named": [255, 0, 0, 13, 140, 255, 255, 0],
    # (v - 100) / 11 + 0.5 = .04545, .5, .95455
    "LINEAR_EXACT": [255, 0, 0, 12, 128, 243, 255, 0],
    "LINEAR_EXACT, MONOCHROME1": [0, 255, 255, 243, 127, 12, 0, 255],
    "LINEAR_EXACT, width below 1": [255, 0, 0, 0, 128, 255, 255, 0],
    # entries from 97 on: 0, 10, 40, 90, ...; 100 is the fourth
    "VOI LUT of 8 bits": [255, 0, 0, 0, 90, 255, 255, 0],
    "VOI LUT of 8 bits, two to a word": [255, 0, 0, 0, 90, 255, 255, 0],
    # 1800 / 4095 * 255 = 112.09
    "VOI LUT of 12 bits": [255, 0, 0, 0, 112, 255, 255, 0],
    "VOI LUT beside a window": [255, 0, 0, 0, 112, 255, 255, 0],
    "several VOI LUTs: the first": [255, 0, 0, 0, 112, 255, 255, 0],
    "VOI LUT, big endian": [255, 0, 0, 0, 112, 255, 255, 0],
    "VOI LUT, MONOCHROME1": [0, 255, 255, 255, 143, 0, 0, 255],
    # 30000 / 65535 * 255 = 116.73
    "VOI LUT of 16 bits": [255, 0, 0, 0, 117, 255, 255, 0],
    # the fourth from the end, 1800 again
    "falling VOI LUT": [0, 255, 255, 255, 112, 0, 0, 255],
    "falling VOI LUT, MONOCHROME1": [255, 0, 0, 0, 143, 255, 255, 0],
    # values 3995, -97, -10, -5, 0, 5, 10, -100: entries from -3 on, 0 is the fourth
    "VOI LUT, signed first value after rescale": [255, 0, 0, 0, 112, 255, 255, 0],
}
"""Second row of `display()`, where the windows and tables of 100 have something to show."""
