"""Registration of the atlas to the lungs seen on a film: affine, then a gentle B-spline (SimpleITK).

Both pictures live in the atlas's frame, into which the box around the lungs has already brought the film, so that the
wanted transform is close to the identity. Registered are soft lung maps, not brightness: a film and a phantom share the
shape of a lung, not its grey levels. The atlas's side is the lungs as they are seen on phantoms by the same eye, not as
they are: like is laid on like, and what the eye never sees moves along.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from medcam.anatomy.atlas import LUNG_BOX, SIDE, Atlas
from medcam.anatomy.grid import Box, resample
from medcam.core.arrays import FloatArray
from medcam.core.errors import MedcamError

STEP = 4
"""Spacing of the registration grid in atlas pixels: twice the blur below, so that nothing finer is passed over."""
SOFTNESS = 2.0
"""Standard deviation, in atlas pixels, of the blur that gives both maps a slope to follow."""
AFFINE_ROUNDS, SPLINE_ROUNDS = 60, 30
MESH = 4
"""B-spline control cells along each side of the frame: few, so that an opacity bends no lung."""
_ONE_AT_A_TIME = threading.Lock()
"""ITK's L-BFGS-B is not reentrant: two at once give other zones, and in the end corrupt the memory."""


class RegistrationError(MedcamError):
    """The atlas could not be laid on what was seen."""

    default_code = "registration-failed"
    default_next_step = "Use the film without zones."


@dataclass(frozen=True, eq=False)
class Registration:
    """How film points in the atlas's frame move to atlas points.

    Args:
        shift: float32 [2, 128, 128], to add to x and to y, in atlas pixels.
        matrix: float64 [2, 2], linear part of the affine step.
        box: The film's lung box that defines the frame, in pixels of the working grid.
    """

    shift: FloatArray = field(repr=False)
    matrix: np.ndarray[tuple[int, ...], np.dtype[np.float64]]
    box: Box

    def carry(self, values: FloatArray, shape: tuple[int, ...]) -> FloatArray:
        """Carries an atlas map [128, 128] onto the film's working grid `shape`; beyond the atlas its edge continues."""
        left, top, right, bottom = LUNG_BOX
        x = left + (np.arange(shape[1]) + 0.5 - self.box[0]) * (right - left) / (self.box[2] - self.box[0])
        y = top + (np.arange(shape[0]) + 0.5 - self.box[1]) * (bottom - top) / (self.box[3] - self.box[1])
        across = x[None, :] + resample(self.shift[0], y, x) - 0.5
        along = y[:, None] + resample(self.shift[1], y, x) - 0.5
        carried = ndimage.map_coordinates(values, np.stack([along, across]), order=1, mode="nearest")
        return np.asarray(carried, dtype=np.float32)


def register(lungs: FloatArray, box: Box, atlas: Atlas) -> Registration:
    """Finds the transform that lays the atlas's visible lungs on those of a film.

    Args:
        lungs: float32 [height, width], how probably a pixel is lung, on the working grid.
        box: The box around both lungs there.
        atlas: The atlas.

    Returns:
        The registration. Deterministic: every grid point is used and one thread runs.

    Raises:
        RegistrationError: SimpleITK found nothing to follow.
    """
    # ITK would write its warnings, a build machine's paths in them, to standard error; what matters comes as quality.
    sitk.ProcessObject.GlobalWarningDisplayOff()
    try:
        return _register(lungs, box, atlas)
    except RuntimeError as error:
        raise RegistrationError("the atlas could not be laid on the film") from error


def _register(lungs: FloatArray, box: Box, atlas: Atlas) -> Registration:
    fixed = _frame_image(_into_frame(lungs, box))
    moving = _image(ndimage.gaussian_filter(atlas.visible, SOFTNESS), 1.0)
    affine = sitk.AffineTransform(2)
    affine.SetCenter((SIDE / 2.0, SIDE / 2.0))
    affine = sitk.AffineTransform(_affine(fixed, moving, affine))
    spline = _spline(fixed, moving, affine)
    both = sitk.CompositeTransform([affine, spline])
    shifts = sitk.TransformToDisplacementField(
        both, sitk.sitkVectorFloat64, (SIDE, SIDE), (0.5, 0.5), (1.0, 1.0), (1.0, 0.0, 0.0, 1.0)
    )
    moved = sitk.GetArrayFromImage(shifts).astype(np.float32)
    return Registration(np.moveaxis(moved, -1, 0), np.array(affine.GetMatrix()).reshape(2, 2), box)


def _affine(fixed: sitk.Image, moving: sitk.Image, start: sitk.Transform) -> sitk.Transform:
    method = _method()
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=2.0, minStep=0.01, numberOfIterations=AFFINE_ROUNDS, gradientMagnitudeTolerance=1e-8
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetInitialTransform(start, inPlace=False)
    found: sitk.Transform = method.Execute(fixed, moving).GetNthTransform(0)
    return found


def _spline(fixed: sitk.Image, moving: sitk.Image, affine: sitk.Transform) -> sitk.Transform:
    method = _method()
    method.SetOptimizerAsLBFGSB(gradientConvergenceTolerance=1e-7, numberOfIterations=SPLINE_ROUNDS)
    method.SetMovingInitialTransform(affine)
    method.SetInitialTransform(sitk.BSplineTransformInitializer(fixed, [MESH, MESH]), inPlace=False)
    with _ONE_AT_A_TIME:
        found: sitk.Transform = method.Execute(fixed, moving)
    return found


def _method() -> sitk.ImageRegistrationMethod:
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMeanSquares()
    method.SetMetricSamplingStrategy(method.NONE)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetNumberOfThreads(1)
    return method


def _into_frame(values: FloatArray, box: Box) -> FloatArray:
    left, top, right, bottom = LUNG_BOX
    at = (np.arange(SIDE) + 0.5).astype(np.float64)
    x = box[0] + (at - left) * (box[2] - box[0]) / (right - left)
    y = box[1] + (at - top) * (box[3] - box[1]) / (bottom - top)
    return np.asarray(ndimage.gaussian_filter(resample(values, y, x), SOFTNESS), dtype=np.float32)


def _frame_image(values: FloatArray) -> sitk.Image:
    return _image(values.reshape(SIDE // STEP, STEP, SIDE // STEP, STEP).mean(axis=(1, 3)), float(STEP))


def _image(values: FloatArray, spacing: float) -> sitk.Image:
    image = sitk.GetImageFromArray(np.ascontiguousarray(values, dtype=np.float32))
    image.SetSpacing((spacing, spacing))
    # Positions are measured from the corner: the first pixel's centre lies half a pixel in.
    image.SetOrigin((spacing / 2.0, spacing / 2.0))
    return image
