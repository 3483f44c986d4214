"""What stands in the place of erased pixels: none of the fill-ins is neutral, so that several are used.

Each gives a whole picture; the erased pixels are taken from it, the rest stays to the bit.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.sparse import coo_array, csr_array
from scipy.sparse.linalg import cg

from medcam.core.arrays import BoolArray, FloatArray
from medcam.core.errors import InvalidValueError
from medcam.evaluate.shortcuts.fill import fill_in

BLUR = 0.06
"""Standard deviation of the blur as a share of the picture's longer side: findings go, the body's shape stays."""
NOISE = 0.01
"""Standard deviation of ROAD's noise, as a share of the picture's own standard deviation."""
_NEIGHBOURS = {
    (0, 1): 1 / 6,
    (1, 0): 1 / 6,
    (0, -1): 1 / 6,
    (-1, 0): 1 / 6,
    (1, 1): 1 / 12,
    (1, -1): 1 / 12,
    (-1, 1): 1 / 12,
    (-1, -1): 1 / 12,
}
"""Weights of Rong et al. 2022, section 4.2: direct neighbours count twice what diagonal ones do."""


def mean_fill(image: FloatArray) -> FloatArray:
    """The picture's mean everywhere; float32 [height, width]."""
    return np.full_like(image, float(image.mean()))


def blur_fill(image: FloatArray) -> FloatArray:
    """The picture, blurred until findings are gone; float32 [height, width]."""
    return np.asarray(ndimage.gaussian_filter(image, BLUR * max(image.shape), mode="nearest"), dtype=np.float32)


def noisy_linear_fill(image: FloatArray, mask: BoolArray, *, noise: float = NOISE, seed: int = 0) -> FloatArray:
    """Noisy linear imputation (Rong et al. 2022, ROAD): each erased pixel is the weighted mean of its 8 neighbours.

    One equation per erased pixel, solved together by conjugate gradients from a smooth start; neighbours beyond the
    edge are left out and the others weigh more. Noise is added, so that the filled part does not betray the mask.

    Args:
        image: float32 [height, width].
        mask: bool [height, width]: what is erased.
        noise: Standard deviation, as a share of the picture's.
        seed: Of the noise.

    Raises:
        InvalidValueError: The shapes differ, or nothing is left to fill from.
    """
    if image.ndim != 2 or mask.shape != image.shape or mask.all():
        raise InvalidValueError(
            "an imputation needs a picture [height, width], and a mask of its shape that leaves some"
        )
    if not mask.any():
        return np.asarray(image, dtype=np.float32)
    matrix, known = _equations(image, mask)
    start = fill_in(image, mask)[mask].astype(np.float64)
    solved, _ = cg(matrix, known, x0=start, rtol=1e-4, maxiter=400)
    filled = np.array(image, dtype=np.float32)
    spread = noise * float(image.std())
    filled[mask] = solved + spread * np.random.default_rng(seed).standard_normal(len(solved))
    return filled


def _equations(image: FloatArray, mask: BoolArray) -> tuple[csr_array, npt.NDArray[np.float64]]:
    """Matrix and right side of sum(w) x - sum over erased neighbours of w x = sum over known neighbours of w x."""
    height, width = image.shape
    number = np.full(mask.shape, -1, dtype=np.int64)
    number[mask] = np.arange(int(mask.sum()))
    rows, columns = np.nonzero(mask)
    total, known = np.zeros(len(rows)), np.zeros(len(rows))
    own, other, weights = [], [], []
    for (down, right), weight in _NEIGHBOURS.items():
        y, x = rows + down, columns + right
        inside = np.flatnonzero((y >= 0) & (y < height) & (x >= 0) & (x < width))
        total[inside] += weight
        neighbour = number[y[inside], x[inside]]
        unknown = neighbour >= 0
        known[inside] += np.where(unknown, 0.0, weight * image[y[inside], x[inside]])
        own.append(inside[unknown])
        other.append(neighbour[unknown])
        weights.append(np.full(int(unknown.sum()), -weight))
    places = np.arange(len(rows))
    entries = (np.concatenate([places, *own]), np.concatenate([places, *other]))
    matrix = coo_array((np.concatenate([total, *weights]), entries), shape=(len(rows), len(rows)))
    return matrix.tocsr(), known
