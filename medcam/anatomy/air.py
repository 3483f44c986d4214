"""What of a film is no body: air beside the patient, collimated borders, padding."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage.filters import threshold_otsu

from medcam.core.arrays import BoolArray, FloatArray

DARKEST_SHARE = 0.5
"""Outer air is darker than this multiple of the threshold between the dark and the bright half of the film."""
NECK = 2
"""Half width, in pixels, of a bridge too thin to join a lung to the air beside the body."""


def outer_air(values: FloatArray, valid: BoolArray) -> BoolArray:
    """Dark pixels that the film's border can reach.

    Args:
        values: float32 [height, width], 0 (dark) to 1 (dense).
        valid: bool [height, width], false on padding; padding is outer air.

    Returns:
        bool [height, width].
    """
    seen = values[valid]
    if seen.size == 0 or seen.min() == seen.max():
        return ~valid
    level = DARKEST_SHARE * float(threshold_otsu(seen))
    dark = (values < level) | ~valid
    # A wide frame of air survives the opening and joins all that touches the border.
    margin = 2 * NECK + 2
    framed = np.pad(dark, margin, constant_values=True)
    labels, _ = ndimage.label(ndimage.binary_opening(framed, iterations=NECK))
    reached = labels == labels[margin // 2, margin // 2]
    reached = ndimage.binary_dilation(reached, iterations=NECK, mask=framed)
    return np.asarray(reached[margin:-margin, margin:-margin] | ~valid, dtype=np.bool_)
