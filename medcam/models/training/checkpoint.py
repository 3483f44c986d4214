"""Checkpoints: everything a killed run needs to go on, written atomically and read without running anything."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch


def write_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Writes tensors and plain values; the old checkpoint stays whole until the new one is."""
    part = path.with_suffix(".part")
    torch.save(state, part)
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(path)


def read_checkpoint(path: Path) -> dict[str, Any] | None:
    """The state, or None where there is none. Only tensors and plain values are accepted (no pickled code)."""
    if not path.is_file():
        return None
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state
