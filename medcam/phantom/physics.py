"""Beer-Lambert, scatter, quantum noise and detector blur: from line integrals to the detector's logarithm.

Linear attenuation coefficients in 1/mm at an effective energy of about 65 keV, from NIST's tables (Hubbell and Seltzer
1995) rounded: soft tissue .0185-.020, inflated lung a quarter of it, cortical bone .050, metal lowered to what beam hardening leaves.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter, zoom

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
    beam += acquisition.scatter * _scatter(grid, beam)
    beam = gaussian_filter(beam, acquisition.unsharpness / grid.pitch)
    if noise:
        # Photons behind the mean lung set the exposure, as an automatic exposure control does.
        photons = acquisition.photons * grid.pitch**2 / float(np.median(beam))
        rng = np.random.default_rng(acquisition.seed)
        beam += np.sqrt(np.maximum(beam, 0.0) / photons) * rng.standard_normal(beam.shape, dtype=np.float32)
    return np.asarray(-np.log(np.maximum(beam, 1e-4)), dtype=np.float32)


def _scatter(grid: Grid, beam: Image) -> Image:
    step = max(1, grid.size // 64)
    coarse = gaussian_filter(beam[::step, ::step], SCATTER_RANGE / (grid.pitch * step))
    return resize_to(coarse, grid.size)


def resize_to(coarse: Image, size: int) -> Image:
    """Bilinear enlargement of a square image to `size` pixels."""
    factor = size / coarse.shape[0]
    if factor == 1:
        return coarse
    return np.asarray(zoom(coarse, factor, order=1, grid_mode=True, mode="nearest")[:size, :size], dtype=np.float32)
