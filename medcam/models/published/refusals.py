"""How a foreign checkpoint is refused."""

from __future__ import annotations

from medcam.core.errors import ModelError


def unsafe(reason: str) -> ModelError:
    """It asks for something else than tensors and plain values."""
    return ModelError(
        f"the checkpoint is not read, and nothing of it was run: {reason}",
        code="unsafe-checkpoint",
        next_step="Do not load it with other programs either, unless you trust whoever made it; ask for safetensors.",
    )


def broken(reason: str) -> ModelError:
    """It contradicts itself or is cut short."""
    return ModelError(
        f"the checkpoint is damaged: {reason}",
        code="broken-checkpoint",
        next_step="Download it again, and compare its size.",
    )


def too_large(reason: str) -> ModelError:
    """It is over a limit that protects memory or time."""
    return ModelError(
        f"the checkpoint is over a limit: {reason}",
        code="checkpoint-too-large",
        next_step="If it is what it claims to be, keep the state dict of the network alone, as safetensors.",
    )


def unknown(reason: str) -> ModelError:
    """It is no file of a kind that is read."""
    return ModelError(
        f"the file is no checkpoint that is read here: {reason}",
        code="unknown-checkpoint",
        next_step="Give what torch.save or safetensors wrote, a MONAI bundle, or what `medcam models export` wrote.",
    )


def misfit(reason: str) -> ModelError:
    """Its tensors are not those of a network that is known."""
    return ModelError(
        f"the tensors fit no network that is known: {reason}",
        code="unknown-layout",
        next_step="Known are DenseNet and ResNet as torchxrayvision, CheXNet, torchvision, timm and MONAI name them; "
        "for other networks see `medcam.with_gap_head`.",
    )
