"""Reads a checkpoint, whatever its layout, as tensors by name. Nothing of it is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor

from medcam.core.errors import ModelError
from medcam.models.published.legacy_layout import LegacyCheckpoint, begins_like_legacy
from medcam.models.published.refusals import broken, too_large, unknown
from medcam.models.published.state import MOST_TENSORS, find_state
from medcam.models.published.tensors import TensorMaker
from medcam.models.published.zip_layout import MAGIC, ZipCheckpoint

MOST_BYTES = 2 * 2**30
"""Of a checkpoint file. All its tensors are held in memory once, and the largest storage twice."""


@dataclass(frozen=True)
class Checkpoint:
    """A network's tensors.

    Attributes:
        tensors: By the name that torch gives them in a state dict, as saved.
        kinds: Names of the classes of modules by name, where a whole module was saved.
        metadata: Texts that a safetensors file carries.
    """

    tensors: Mapping[str, Tensor]
    kinds: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)


def read_checkpoint(path: Path) -> Checkpoint:
    """Reads what torch.save (both layouts) or safetensors wrote.

    Raises:
        ModelError: It asks for more than tensors ("unsafe-checkpoint"), is damaged ("broken-checkpoint"), over a limit
            ("checkpoint-too-large"), or none of these ("unknown-checkpoint").
    """
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise unknown("it is no file")
        with path.open("rb") as file:
            head = file.read(64)
        if size > MOST_BYTES:
            raise too_large(f"{size} bytes")
        return _read(path, head, size)
    except OSError as error:
        raise ModelError(
            f"{path.name} cannot be read", code="unknown-checkpoint", next_step="Check the path."
        ) from error


def _read(path: Path, head: bytes, size: int) -> Checkpoint:
    if head[:4] == MAGIC:
        with ZipCheckpoint(path) as opened:
            return _made(opened, size)
    if begins_like_legacy(head):
        with LegacyCheckpoint(path) as old:
            return _made(old, size)
    if head[8:9] == b"{":
        return _safetensors(path)
    raise unknown("it begins like neither torch.save nor safetensors")


def _made(opened: ZipCheckpoint | LegacyCheckpoint, size: int) -> Checkpoint:
    state = find_state(opened.root())
    maker = TensorMaker(opened, 2 * size)
    return Checkpoint({name: maker.make(value) for name, value in state.tensors.items()}, state.kinds)


def _safetensors(path: Path) -> Checkpoint:
    try:
        with safe_open(path, "pt") as file:
            names = list(file.keys())
            if len(names) > MOST_TENSORS:
                raise too_large(f"{len(names)} tensors")
            return Checkpoint({name: file.get_tensor(name) for name in names}, metadata=file.metadata() or {})
    except (SafetensorError, ValueError, RuntimeError) as error:
        raise broken("safetensors does not take it") from error
