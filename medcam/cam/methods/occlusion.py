"""Occlusion: what a logit loses when a part of the film is covered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from medcam.cam.methods.grids import grid_of
from medcam.cam.methods.method import MethodCard, Units
from medcam.cam.methods.model import GradientModel
from medcam.cam.methods.registry import register_method

_MARGIN = 0.5
"""Of a cell: how far its cover reaches over it on each side, so that covers overlap and no edge goes unseen."""


@register_method
@dataclass(frozen=True)
class Occlusion:
    """Occlusion (Zeiler and Fergus 2014, section 4.2): logit - logit with the cell covered, in logit units.

    Args:
        cells: Cells of the map along the input's longer side; each is covered with half a cell more on every side.

    The cover has the image's own mean per channel.
    """

    card: ClassVar[MethodCard] = MethodCard(
        name="occlusion",
        title="Occlusion",
        source="Zeiler and Fergus 2014, sect. 4.2",
        units=Units.LOGIT,
        signed=True,
        gradient=False,
        passes="1 forward per cell (256 on a square input), for all findings together",
        weakness="a grey square is unlike any film; what stands in two places, each enough for the finding, shows in "
        "neither; size and grey of the cover change the map; slow",
        on_input=True,
    )

    cells: int = 16

    def maps(self, model: GradientModel, images: Tensor, findings: Sequence[int], chunk: int) -> Tensor:
        """As `CamMethod.maps`."""
        with torch.no_grad():
            whole = model.logits(images)
            return torch.stack(
                [
                    self._one(model, image, logits, list(findings), chunk)
                    for image, logits in zip(images, whole, strict=True)
                ]
            )

    def _one(self, model: GradientModel, image: Tensor, logits: Tensor, findings: list[int], chunk: int) -> Tensor:
        height, width = image.shape[1:]
        rows, columns = grid_of(height, width, self.cells)
        fill = image.mean(dim=(1, 2), keepdim=True)
        places = [(row, column) for row in range(rows) for column in range(columns)]
        drops = []
        for start in range(0, len(places), chunk):
            part = places[start : start + chunk]
            covered = image.repeat(len(part), 1, 1, 1)
            for one, (row, column) in zip(covered, part, strict=True):
                one[:, cover(height, rows, row), cover(width, columns, column)] = fill
            drops.append((logits - model.logits(covered))[:, findings])
        return torch.cat(drops).T.reshape(len(findings), rows, columns)


def cover(pixels: int, cells: int, cell: int) -> slice:
    """The pixels that are covered for one cell of a side."""
    low = round((cell - _MARGIN) * pixels / cells)
    high = round((cell + 1 + _MARGIN) * pixels / cells)
    return slice(max(0, low), min(pixels, high))
