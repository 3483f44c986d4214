"""Connected parts of thresholded maps, and which of them a region rule keeps. Batched, since calibration asks often."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

_IN_PLANE = np.zeros((3, 3, 3), dtype=np.bool_)
_IN_PLANE[1] = True

FloatArray = npt.NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Parts:
    """The 8-connected parts of n binary images, in one numbering.

    Args:
        labels: int32 [n, height, width], 0 outside every part, k + 1 inside part k.
        image: int64 [parts], the image a part lies in.
        area: int64 [parts], in pixels.
        share: float64 [parts], share of the image's positive evidence inside, 0 to 1.
    """

    labels: npt.NDArray[np.int32]
    image: npt.NDArray[np.int64]
    area: npt.NDArray[np.int64]
    share: npt.NDArray[np.float64]

    @classmethod
    def find(cls, over: npt.NDArray[np.bool_], shares: FloatArray) -> Parts:
        """Labels the parts.

        Args:
            over: bool [n, height, width], where the map is over its threshold.
            shares: [n, height, width], share of the image's positive evidence that each pixel carries.

        Returns:
            The parts, ordered by image.
        """
        labels = np.empty(over.shape, dtype=np.int32)
        count = ndimage.label(over, structure=_IN_PLANE, output=labels)
        held = np.flatnonzero(over)
        part = labels.ravel()[held] - 1
        area = np.bincount(part, minlength=count)
        share = np.bincount(part, weights=shares.ravel()[held], minlength=count)
        image = np.empty(count, dtype=np.int64)
        image[part] = held // (over.shape[1] * over.shape[2])
        return cls(labels, image, area, np.clip(share, 0.0, 1.0))

    def kept(self, largest_only: bool, smallest_share: float) -> npt.NDArray[np.bool_]:
        """Which parts stay: bool [parts]. The largest is the one with the largest area; of equals the first."""
        keep = self.share >= smallest_share
        if largest_only:
            order = np.lexsort((-self.area, self.image))
            first = np.ones(order.size, dtype=np.bool_)
            first[1:] = np.diff(self.image[order]) != 0
            largest = np.zeros(order.size, dtype=np.bool_)
            largest[order[first]] = True
            keep &= largest
        return keep

    def mask(self, keep: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Pixels of the parts that stay: bool [n, height, width]."""
        return np.concatenate(([False], keep))[self.labels]
