"""Films whose pixels are not square, resampled to square ones.

A network has learned what a heart looks like on square pixels. The film itself stays as it is: regions are told in its
own pixels, and the `GridTransform` carries the way back.
"""

from __future__ import annotations

import numpy as np

from medcam.core.arrays import FloatArray
from medcam.core.geometry import GridTransform

NEARLY_SQUARE = 1e-3
"""Relative difference of height and width that is left alone: half a pixel of a model's input."""


def isotropic_shape(height: int, width: int, aspect: float) -> tuple[int, int]:
    """Rows and columns of a film on square pixels of its finer spacing.

    Args:
        height: Rows of the film.
        width: Columns of the film.
        aspect: Height of a pixel divided by its width.
    """
    if abs(aspect - 1.0) < NEARLY_SQUARE:
        return height, width
    return (round(height * aspect), width) if aspect > 1.0 else (height, round(width / aspect))


def to_isotropic(values: FloatArray, known: FloatArray, aspect: float) -> tuple[FloatArray, FloatArray, GridTransform]:
    """Resamples a film to square pixels, bilinearly; the axis with the finer spacing keeps its samples.

    Args:
        values: float32 [height, width].
        known: float32 [height, width], weights that are resampled alike.
        aspect: Height of a pixel divided by its width.

    Returns:
        Both on the new grid, and the transform from the film to it. The two have the same extent exactly: the number of
        rows or columns is rounded, not the edges of the film.
    """
    height, width = values.shape
    shape = isotropic_shape(height, width, aspect)
    transform = GridTransform.identity(height, width).resize(*shape)
    if shape == (height, width):
        return values, known, transform
    return _resampled(values, transform), _resampled(known, transform), transform


def _resampled(values: FloatArray, transform: GridTransform) -> FloatArray:
    import SimpleITK as sitk  # for few films, and it takes a while to load

    image = sitk.GetImageFromArray(values)
    # In cells of the new grid, with pixel centres at half a pixel from the edge.
    spacing = (transform.scale_x, transform.scale_y)
    image.SetSpacing(spacing)
    image.SetOrigin([0.5 * step for step in spacing])
    resampled = sitk.Resample(
        image,
        (transform.width, transform.height),
        sitk.Transform(),
        sitk.sitkLinear,
        (0.5, 0.5),
        (1.0, 1.0),
        image.GetDirection(),
        0.0,
        sitk.sitkFloat32,
    )
    return np.asarray(sitk.GetArrayFromImage(resampled), dtype=np.float32)
