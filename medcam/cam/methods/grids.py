"""Even grids over an input: what methods that look at the input itself make their maps on."""

from __future__ import annotations

import torch
from torch import Tensor

from medcam.core.errors import InvalidValueError


def grid_of(height: int, width: int, cells: int) -> tuple[int, int]:
    """Rows and columns of a grid with `cells` along the longer side, never finer than the pixels.

    Raises:
        InvalidValueError: `cells` is below 1.
    """
    if cells < 1:
        raise InvalidValueError(f"a grid needs at least one cell along its side, not {cells}")
    longer = max(height, width)
    cells = min(cells, longer)
    return max(1, round(cells * height / longer)), max(1, round(cells * width / longer))


def summed(values: Tensor, cells: int) -> Tensor:
    """Sums of values [..., height, width] over the cells of a grid, pixels on a border split by area.

    The total stays what it was.
    """
    height, width = values.shape[-2:]
    rows, columns = grid_of(height, width, cells)
    by_row, by_column = _shares(height, rows, values), _shares(width, columns, values)
    return by_row @ values @ by_column.T


def _shares(pixels: int, cells: int, like: Tensor) -> Tensor:
    """[cells, pixels]: the share of each pixel that lies in each cell; columns sum to 1."""
    edges = torch.arange(cells + 1, dtype=torch.float64, device=like.device) * pixels / cells
    starts = torch.arange(pixels, dtype=torch.float64, device=like.device)
    low = torch.maximum(edges[:-1, None], starts[None])
    high = torch.minimum(edges[1:, None], starts[None] + 1.0)
    return (high - low).clamp_min(0.0).to(like.dtype)
