"""A model handed out in a format that others read."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from medcam.core.errors import ModelError, UsageError
from medcam.models.exchange.bundle import write_bundle
from medcam.models.exchange.onnx_file import write_onnx
from medcam.models.exchange.safetensors_file import write_safetensors
from medcam.models.loaded import LoadedModel
from medcam.models.probes.probed import ProbedModel
from medcam.models.registry import load_model


class Format(StrEnum):
    """In which a model can be handed out."""

    BUNDLE = "monai-bundle"
    ONNX = "onnx"
    SAFETENSORS = "safetensors"


_WRITERS = {Format.BUNDLE: write_bundle, Format.ONNX: write_onnx, Format.SAFETENSORS: write_safetensors}
_SUFFIXES = {Format.BUNDLE: "", Format.ONNX: ".onnx", Format.SAFETENSORS: ".safetensors"}


def export_model(name: str | Path, kind: Format, out: Path | None = None, *, replace: bool = False) -> Path:
    """Writes a model in a format that others read.

    Args:
        name: Of the model, or its folder.
        kind: The format.
        out: File, or folder for a bundle; None for the model's name in the current folder.
        replace: Whether what is there may be replaced.

    Returns:
        Where it is.

    Raises:
        UsageError: There is something already (code "export-exists").
        ModelError: There is no such model, it has probes ("export-probes"), or a package is missing
            ("missing-package").
    """
    model = load_model(name)
    if isinstance(model, ProbedModel) or not isinstance(model, LoadedModel):
        raise ModelError(
            "a model with probes cannot be exported", code="export-probes", next_step="Export the model without them."
        )
    target = out or Path(f"{model.card.name}{_SUFFIXES[kind]}")
    if target.exists() and not replace:
        raise UsageError(
            f"{target} exists already",
            code="export-exists",
            next_step="Name another place with --out, or --replace it.",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    _WRITERS[kind](model, target)
    return target
