"""Where print was burned into a film, by the detector that learnt it from pictures with and without print.

film -> at most 1024 pixels -> one forward pass -> cells over the card's threshold -> boxes in source pixels
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from medcam.core.arrays import BoolArray, FloatArray
from medcam.core.card import ModelCard
from medcam.core.errors import InvalidValueError, ModelError
from medcam.core.geometry import Box
from medcam.models.loaded import LoadedModel
from medcam.models.preprocess import prepare_array
from medcam.models.registry import load_model

MODEL = "text"
FINDING = "Burned-in Text"
LONGEST = 1024
"""Pixels along the longer side at which print is looked for: letters of 9 pixels can be told there."""
_STEP = 32
"""The side is a multiple of this."""
_GAP = 3
"""Parts of one box are at most twice as many cells apart: letters of a line, a frame and its letter."""


@dataclass(frozen=True, slots=True)
class TextBox:
    """A place with print.

    Args:
        box: In source pixels.
        strength: Highest value of the map there, by the threshold: 1 and more.
    """

    box: Box
    strength: float


class TextFinder:
    """Finds print; may be called from several threads.

    Args:
        model: A detector with one finding, `FINDING`, and a region rule with an absolute threshold.

    Raises:
        ModelError: It is another model (code "not-a-text-model").
    """

    def __init__(self, model: LoadedModel) -> None:
        if model.card.finding_names != (FINDING,):
            raise ModelError(
                f"{model.card.name} is no detector of burned-in text",
                code="not-a-text-model",
                next_step="Name what `medcam train --data text` made.",
            )
        self._model = model

    @classmethod
    def load(cls, name: str | Path = MODEL) -> TextFinder:
        """The shipped detector, or another by name or folder; raises as `load_model`."""
        return cls(load_model(name))

    @property
    def card(self) -> ModelCard:
        """The detector's card."""
        return self._model.card

    @property
    def digest(self) -> str:
        """SHA-256 of its weights."""
        return self.card.weights_sha256

    @property
    def threshold(self) -> float:
        """Value of the map, in logit units per cell, from which on a cell counts as print."""
        return self.card.findings[0].region_rule.threshold

    def boxes(self, film: npt.NDArray[np.floating], padding: BoolArray | None = None) -> tuple[TextBox, ...]:
        """Boxes around lines and markers, the strongest first.

        Args:
            film: float [height, width], denser is brighter, in any unit.
            padding: bool [height, width]: what is no image and does not count for its range; print there counts.

        Raises:
            InvalidValueError: The film is no finite [height, width], or the padding has another shape.
        """
        values = _visible(film, padding)
        side = min(LONGEST, -(-max(values.shape) // _STEP) * _STEP)
        recipe = replace(self.card.input, height=side, width=side)
        prepared = prepare_array(values, recipe)
        model = LoadedModel(self._model.network, replace(self.card, input=recipe))
        cells = model.predict(prepared.values[None]).maps[0, 0]
        whole, stride = Box(0, 0, values.shape[1], values.shape[0]), side / cells.shape[0]
        boxes = []
        for rows, columns in _parts(cells >= self.threshold):
            corner, size = (columns.start, rows.start), (columns.stop - columns.start, rows.stop - rows.start)
            grid = Box(*(stride * cell for cell in (*corner, *size)))
            box = prepared.transform.box_to_source(grid).intersection(whole)
            if box is not None:
                boxes.append(TextBox(box, float(cells[rows, columns].max()) / self.threshold))
        return tuple(sorted(boxes, key=lambda each: -each.strength))

    def __call__(self, film: npt.NDArray[np.floating], padding: BoolArray | None = None) -> BoolArray:
        """bool [height, width]: the pixels that `boxes` touch."""
        found = np.zeros(np.shape(film), dtype=np.bool_)
        for each in self.boxes(film, padding):
            left, top, right, bottom = each.box.corners
            found[int(top) : int(np.ceil(bottom)), int(left) : int(np.ceil(right))] = True
        return found


def _parts(found: BoolArray) -> list[tuple[slice, slice]]:
    """Rows and columns of the cells that lie near each other."""
    if not found.any():
        return []
    near = ndimage.binary_dilation(found, np.ones((3, 3)), iterations=_GAP)
    labels, _ = ndimage.label(near, np.ones((3, 3)))
    return [place for place in ndimage.find_objects(np.where(found, labels, 0)) if place is not None]


def _visible(film: npt.NDArray[np.floating], padding: BoolArray | None) -> FloatArray:
    """The film within the range of what is image: padding has values far beyond it."""
    values = np.asarray(film, dtype=np.float32)
    if padding is None or padding.all():
        return values
    if padding.shape != values.shape:
        raise InvalidValueError(f"padding of {padding.shape} does not fit a film of {values.shape}")
    image = values[~padding]
    return np.asarray(np.clip(values, image.min(), image.max()), dtype=np.float32)
