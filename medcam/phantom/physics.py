"""Beer-Lambert, scatter, quantum noise and detector blur: from line integrals to the detector's logarithm.

Linear attenuation coefficients in 1/mm at an effective energy of about 65 keV, from NIST's tables (Hubbell and Seltzer
1995) rounded: soft tissue .0185-.020, inflated lung a quarter of it, cortical bone .050, metal lowered to what beam
hardening leaves.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.ndimage import gaussian_filter

from medcam.phantom.case import Acquisition
from medcam.phantom.grid import Grid, Image

MU_SOFT, MU_LUNG, MU_BONE, MU_AIR, MU_METAL = 0.0185, 0.0050, 0.050, 0.0002, 0.30
SCATTER_RANGE = 18.0
"""Standard deviation of the scatter kernel in mm."""


def primary(attenuation: Image) -> Image:
    """Transmitted share of the beam."""
    return np.exp(-attenuation)


def detector_signal(grid: Grid, attenuation: Image, acquisition: Acquisition, *, noise: bool = True) -> Image:
    """Negative logarithm of the detected signal: denser is larger; float32 [size, size].

    Args:
        grid: The detector.
        attenuation: Line integrals.
        acquisition: Photons, scatter, unsharpness and the noise's seed.
        noise: False gives the expectation.
    """
    beam = primary(attenuation)
    beam += acquisition.scatter * smooth(grid, beam, SCATTER_RANGE)
    beam = gaussian_filter(beam, acquisition.unsharpness / grid.pitch)
    if noise:
        # Photons behind the mean lung set the exposure, as an automatic exposure control does.
        photons = acquisition.photons * grid.pitch**2 / float(np.median(beam))
        rng = np.random.default_rng(acquisition.seed)
        beam += np.sqrt(np.maximum(beam, 0.0) / photons) * rng.standard_normal(beam.shape, dtype=np.float32)
    return np.asarray(-np.log(np.maximum(beam, 1e-4)), dtype=np.float32)


def resize_to(coarse: Image, size: int) -> Image:
    """Bilinear resampling of a square image to `size` pixels over the same extent."""
    if coarse.shape[0] == size:
        return coarse
    weights = _bilinear(coarse.shape[0], size)
    return weights @ np.asarray(coarse, dtype=np.float32) @ weights.T


@lru_cache(maxsize=64)
def _bilinear(cells: int, size: int) -> Image:
    """float32 [size, cells]: weights that interpolate between cell centres, edges repeated."""
    place = np.clip((np.arange(size) + 0.5) * cells / size - 0.5, 0, cells - 1)
    lower = np.minimum(place.astype(np.int64), max(cells - 2, 0))
    share = (place - lower).astype(np.float32)
    weights = np.zeros((size, cells), dtype=np.float32)
    weights[np.arange(size), lower] = 1 - share
    weights[np.arange(size), np.minimum(lower + 1, cells - 1)] += share
    return weights


def smooth(grid: Grid, signal: Image, millimetres: float) -> Image:
    """Gaussian blur by a standard deviation in mm; wide ones are done on a coarser grid."""
    step = max(1, int(millimetres / (2.5 * grid.pitch)))
    sigma = millimetres / (grid.pitch * step)
    if step == 1:
        return np.asarray(gaussian_filter(signal, sigma), dtype=np.float32)
    side = -(-grid.size // step) * step
    padded = np.pad(signal, (0, side - grid.size), mode="edge")
    blocks = padded.reshape(side // step, step, side // step, step).mean(axis=(1, 3))
    return resize_to(np.asarray(gaussian_filter(blocks, sigma), dtype=np.float32), side)[: grid.size, : grid.size]
