"""A model as a MONAI bundle: configuration, metadata, weights and card in a folder; and such folders read back.

Where the network is one that MONAI builds by itself, the bundle names MONAI's class, its last linear layer takes the
place of the GAP head, and nothing of medcam is needed to run it. Any other network names medcam's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import monai
import numpy as np
import torch
from torch import Tensor

from medcam.core.card import ModelCard
from medcam.core.errors import ModelError
from medcam.models.exchange.own import card_text
from medcam.models.files import GATE
from medcam.models.loaded import LoadedModel
from medcam.models.published.checkpoint import Checkpoint, read_checkpoint

METADATA, INFERENCE, CARD = "configs/metadata.json", "configs/inference.json", "configs/medcam-card.json"
WEIGHTS, GATE_FILE = "models/model.pt", "models/gate.npz"
BUILDER = "medcam.models.exchange.bundle.bundle_network"

_MONAI: Mapping[str, Mapping[str, object]] = {
    "densenet121": {"_target_": "DenseNet121"},
    "resnet50": {"_target_": "ResNet", "block": "bottleneck", "layers": [3, 4, 6, 3]},
    "resnet34": {"_target_": "ResNet", "block": "basic", "layers": [3, 4, 6, 3]},
    "resnet18": {"_target_": "ResNet", "block": "basic", "layers": [2, 2, 2, 2]},
}
_LAST = {"densenet121": "class_layers.out"}
_MOST_BYTES = 2**20


@dataclass(frozen=True)
class Bundle:
    """What a bundle holds.

    Attributes:
        checkpoint: Its weights.
        card: Text of the card of a model that medcam exported; empty for a bundle of others.
        findings: Names of its outputs, as its metadata tell them; empty where they do not.
        side: Rows and columns of its input, None where its metadata do not tell.
        licence: As its metadata tell it.
        version: As its metadata tell it.
    """

    checkpoint: Checkpoint
    card: str = ""
    findings: tuple[str, ...] = ()
    side: int | None = None
    licence: str = ""
    version: str = ""


def bundle_network(card: str) -> torch.nn.Module:
    """The network of a bundle that MONAI cannot build by itself: images to logits.

    Args:
        card: Path of its `configs/medcam-card.json`.
    """
    from medcam.models.card_json import card_from_json
    from medcam.models.classifier import build_classifier

    network = build_classifier(card_from_json(Path(card).read_text(encoding="utf-8")))
    return _Logits(network)


class _Logits(torch.nn.Module):
    def __init__(self, classifier: torch.nn.Module) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.classifier(images).logits
        return logits


def write_bundle(model: LoadedModel, folder: Path) -> None:
    """Writes a model as a bundle.

    Args:
        model: Any.
        folder: Where to; made if absent.

    Raises:
        OSError: The disk refuses it.
    """
    for name in ("configs", "models", "docs"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    native = is_native(model.card)
    torch.save(_native_state(model) if native else _own_state(model), folder / WEIGHTS)
    if model.gate is not None:
        np.savez(folder / GATE_FILE, mean=model.gate.mean, whitening=model.gate.whitening)
    _json(folder / METADATA, _metadata(model.card))
    _json(folder / INFERENCE, _inference(model.card, native=native))
    (folder / CARD).write_text(card_text(model), encoding="utf-8")
    (folder / "docs" / "README.md").write_text(_readme(model.card), encoding="utf-8")


def is_native(card: ModelCard) -> bool:
    """Whether MONAI builds the network by itself: a plain backbone, and one linear layer behind its average."""
    return card.backbone in _MONAI and not card.backbone_options and card.head == "gap"


def read_bundle(folder: Path) -> Bundle:
    """Reads a bundle; its configuration is read as text, and no expression in it is evaluated.

    Raises:
        ModelError: It is no bundle ("unknown-checkpoint"), or its weights are refused (see `read_checkpoint`).
    """
    metadata = _read_json(folder / METADATA)
    checkpoint = read_checkpoint(folder / WEIGHTS)
    card = folder / CARD
    if card.is_file():
        text = _text(card)
        return Bundle(_with_gate(_as_own(checkpoint, text), folder / GATE_FILE), card=text)
    data: Any = metadata.get("network_data_format")
    return Bundle(
        checkpoint,
        findings=_findings(data),
        side=_side(data),
        licence=str(metadata.get("license", ""))[:300],
        version=str(metadata.get("version", ""))[:40],
    )


def _native_state(model: LoadedModel) -> dict[str, Tensor]:
    """The state dict of MONAI's own network."""
    last = _LAST.get(model.card.backbone, "fc")
    network, head = model.network.backbone.network, model.network.head
    return {
        **{name: value.detach().clone() for name, value in network.state_dict().items()},
        f"{last}.weight": head.class_weights.detach().clone(),
        f"{last}.bias": head.bias.detach().clone(),
    }


def _own_state(model: LoadedModel) -> dict[str, Tensor]:
    return {f"classifier.{name}": value.detach().clone() for name, value in model.network.state_dict().items()}


def _as_own(checkpoint: Checkpoint, card: str) -> Checkpoint:
    """Tensors under our own names, from either kind of state."""
    tensors = dict(checkpoint.tensors)
    if any(name.startswith("classifier.backbone.") for name in tensors):
        return Checkpoint({name.removeprefix("classifier."): value for name, value in tensors.items()})
    last = "class_layers.out" if "class_layers.out.weight" in tensors else "fc"
    head = {f"head.{word}": tensors.pop(f"{last}.{word}") for word in ("weight", "bias") if f"{last}.{word}" in tensors}
    return Checkpoint({f"backbone.network.{name}": value for name, value in tensors.items()} | head)


def _with_gate(checkpoint: Checkpoint, path: Path) -> Checkpoint:
    if not path.is_file():
        return checkpoint
    try:
        with np.load(path, allow_pickle=False) as stored:
            gate = {GATE + name: torch.from_numpy(np.array(stored[name])) for name in ("mean", "whitening")}
    except (OSError, ValueError, KeyError) as error:
        raise ModelError("the gate of the bundle cannot be read", code="broken-weights") from error
    return Checkpoint({**checkpoint.tensors, **gate})


def _inference(card: ModelCard, *, native: bool) -> dict[str, object]:
    network: dict[str, object] = {"_target_": BUILDER, "card": f"$@bundle_root + '/{CARD}'"}
    if native:
        network = {**_MONAI[card.backbone], "spatial_dims": 2}
        if card.backbone == "densenet121":
            network |= {"in_channels": card.input.channels, "out_channels": len(card.findings)}
        else:
            network |= {"n_input_channels": card.input.channels, "num_classes": len(card.findings)}
            network |= {"block_inplanes": [64, 128, 256, 512], "conv1_t_size": 7, "conv1_t_stride": 2}
    return {
        "imports": ["$import torch"],
        "bundle_root": ".",
        "device": "$torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
        "network_def": network,
        "network": "$@network_def.to(@device)",
        "weights": f"$@bundle_root + '/{WEIGHTS}'",
        "load": "$@network.load_state_dict(torch.load(@weights, map_location=@device, weights_only=True))",
    }


def _metadata(card: ModelCard) -> dict[str, object]:
    recipe = card.input
    shape = [recipe.height, recipe.width]
    image = {"type": "image", "format": "magnitude", "modality": "DX", "num_channels": recipe.channels}
    value_range = [recipe.black, recipe.white] if recipe.black is not None else []
    return {
        "version": card.version,
        "monai_version": monai.__version__,
        "pytorch_version": torch.__version__.partition("+")[0],
        "numpy_version": np.__version__,
        "name": card.name,
        "task": "Chest radiograph classification with class activation maps",
        "description": card.intended_use,
        "intended_use": card.intended_use,
        "license": card.weights_licence or card.training_licence,
        "references": [text for text in (card.citation, card.origin) if text],
        "network_data_format": {
            "inputs": {
                "image": {
                    **image,
                    "spatial_shape": shape,
                    "dtype": "float32",
                    "value_range": value_range,
                    "is_patch_data": False,
                    "channel_def": {str(number): "grey" for number in range(recipe.channels)},
                }
            },
            "outputs": {
                "pred": {
                    "type": "logits",
                    "num_channels": len(card.findings),
                    "spatial_shape": [],
                    "dtype": "float32",
                    "channel_def": {str(number): name for number, name in enumerate(card.finding_names)},
                }
            },
        },
    }


def _readme(card: ModelCard) -> str:
    lines = [
        f"# {card.name} {card.version}",
        "",
        card.intended_use,
        "",
        f"Outputs: logits of {', '.join(card.finding_names)}. `{CARD}` has the whole card, with thresholds and limits.",
        "`medcam models import` brings it back, with its maps.",
    ]
    return "\n".join(lines) + "\n"


def _findings(data: Any) -> tuple[str, ...]:  # noqa: ANN401  JSON of others
    try:
        names = data["outputs"]["pred"]["channel_def"]
        return tuple(str(names[str(number)])[:64] for number in range(len(names)))
    except (KeyError, TypeError):
        return ()


def _side(data: Any) -> int | None:  # noqa: ANN401
    try:
        height, width = data["inputs"]["image"]["spatial_shape"]
        return int(height) if height == width and 16 <= int(height) <= 4096 else None
    except (KeyError, TypeError, ValueError):
        return None


def _json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(_text(path))
    except ValueError as error:
        raise _no_bundle(path) from error
    if not isinstance(found, dict):
        raise _no_bundle(path)
    return found


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(_MOST_BYTES)
    except (OSError, UnicodeDecodeError) as error:
        raise _no_bundle(path) from error


def _no_bundle(path: Path) -> ModelError:
    return ModelError(
        f"{path.parent.parent.name} is no MONAI bundle: {path.name} cannot be read",
        code="unknown-checkpoint",
        next_step="Unpack the bundle and name its folder.",
    )
