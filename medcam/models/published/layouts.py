"""The layouts that can be imported: what their outputs mean, and how they want a film, where upstream fixed it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from medcam.core.errors import UsageError
from medcam.models.published.checkpoint import Checkpoint
from medcam.models.published.densenet_keys import is_densenet, map_densenet
from medcam.models.published.mapped import Mapped, stripped
from medcam.models.published.refusals import misfit
from medcam.models.published.resnet_keys import is_resnet, map_resnet

AUTO, BUNDLE = "auto", "monai-bundle"

XRAYVISION = (
    *("Atelectasis", "Consolidation", "Infiltration", "Pneumothorax", "Edema", "Emphysema", "Fibrosis", "Effusion"),
    *("Pneumonia", "Pleural_Thickening", "Cardiomegaly", "Nodule", "Mass", "Hernia", "Lung Lesion", "Fracture"),
    *("Lung Opacity", "Enlarged Cardiomediastinum"),
)
"""Outputs of torchxrayvision's models, in order."""
CHEXNET = (
    *("Atelectasis", "Cardiomegaly", "Effusion", "Infiltration", "Mass", "Nodule", "Pneumonia", "Pneumothorax"),
    *("Consolidation", "Edema", "Emphysema", "Fibrosis", "Pleural_Thickening", "Hernia"),
)
"""Outputs of CheXNet, in order."""

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and standard deviation of the colours that networks of torchvision and timm are usually made for."""
HOUNSFIELD_LIKE = ((0.5,), (1 / 2048,))
"""torchxrayvision's range: black becomes -1024 and white 1024."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What is known of the models of one source.

    Args:
        name: As `--layout` takes it.
        findings: Of the outputs, in order; empty where each model has its own.
        side: Rows and columns of the input; None where each model has its own.
        mean: Of each channel, for brightness 0..1 as displayed; empty where each model has its own.
        std: Of each channel.
        note: What a reader must know of the preparation.
    """

    name: str
    findings: tuple[str, ...] = ()
    side: int = 224
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    note: str = ""


LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {
        layout.name: layout
        for layout in (
            Layout(
                "torchxrayvision",
                XRAYVISION,
                224,
                *HOUNSFIELD_LIKE,
                note="Input by upstream's recipe: brightness from -1024 to 1024, central square. It is reduced by an "
                "antialiased bilinear filter, upstream's default by a Gaussian one.",
            ),
            Layout(
                "chexnet",
                CHEXNET,
                224,
                *IMAGENET,
                note="One pass over the central square at 224 pixels; upstream averages ten crops out of 256 pixels.",
            ),
            Layout("torchvision", side=224, mean=IMAGENET[0], std=IMAGENET[1]),
            Layout("timm", side=224, mean=IMAGENET[0], std=IMAGENET[1]),
        )
    }
)
NAMES = (*LAYOUTS, BUNDLE, AUTO)


def layout(name: str) -> Layout:
    """A layout by name.

    Raises:
        UsageError: There is none of that name (code "unknown-import-layout").
    """
    if name in LAYOUTS:
        return LAYOUTS[name]
    raise UsageError(
        f"there is no layout {name!r}", code="unknown-import-layout", next_step=f"Choose one of {', '.join(NAMES)}."
    )


def guess_layout(checkpoint: Checkpoint, mapped: Mapped) -> Layout:
    """The layout of a checkpoint, where it can be told from names and shapes.

    Raises:
        UsageError: It cannot (code "unknown-import-layout").
    """
    if mapped.channels == 1 and mapped.outputs == len(XRAYVISION):
        return LAYOUTS["torchxrayvision"]
    wrapped = all(name.startswith("module.densenet121.") for name in checkpoint.tensors)
    if wrapped and mapped.channels == 3 and mapped.outputs == len(CHEXNET):
        return LAYOUTS["chexnet"]
    raise UsageError(
        f"the file does not tell what its {mapped.outputs} outputs mean",
        code="unknown-import-layout",
        next_step="Say where it comes from with --layout, and name its outputs with --finding.",
    )


def map_checkpoint(checkpoint: Checkpoint) -> Mapped:
    """A checkpoint's tensors under the names of the MONAI network that they fit.

    Raises:
        ModelError: They fit none (code "unknown-layout").
    """
    tensors = stripped(checkpoint.tensors)
    if is_densenet(tensors):
        return map_densenet(tensors)
    if is_resnet(tensors):
        return map_resnet(tensors)
    raise misfit(f"it begins with {next(iter(checkpoint.tensors), 'nothing')[:80]!r}")
