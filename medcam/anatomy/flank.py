"""The dark slopes of the body beside the chest wall: as dark as a lung, and none."""

from __future__ import annotations

import numpy as np
from scipy import ndimage
from skimage.segmentation import watershed

from medcam.core.arrays import BoolArray, FloatArray

SOFTNESS = 1.0
"""Standard deviation, in pixels, of the blur that keeps noise from making ridges."""
_AIR, _LUNG = 1, 2


def flanks(values: FloatArray, air: BoolArray, cores: BoolArray) -> BoolArray:
    """What rises from the outer air up to the ridge of the chest wall.

    Brightness is taken for height: flooded from the outer air and from the middle of the lungs at the same time, the
    waters meet on the ridge between them (Meyer and Beucher 1990, the watershed).

    Args:
        values: float32 [height, width], the working picture.
        air: bool [height, width], outer air and padding.
        cores: bool [height, width], pixels that are surely lung.

    Returns:
        bool [height, width], outer air counted in; nothing else where there is no outer air.
    """
    markers = np.where(air, _AIR, np.where(cores, _LUNG, 0))
    if not (air.any() and cores.any()):
        return air
    return np.asarray(watershed(ndimage.gaussian_filter(values, SOFTNESS), markers) == _AIR)
