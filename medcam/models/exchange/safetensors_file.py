"""A model as one safetensors file, its card in the file's metadata."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import save_file

from medcam.models.exchange.own import CARD_KEY, card_text, own_tensors
from medcam.models.loaded import LoadedModel


def write_safetensors(model: LoadedModel, path: Path) -> None:
    """Writes a model as one file, fp32; `medcam.models.published.checkpoint.read_checkpoint` reads it.

    Raises:
        OSError: The disk refuses it.
    """
    save_file(own_tensors(model), path, {CARD_KEY: card_text(model), "format": "pt"})
