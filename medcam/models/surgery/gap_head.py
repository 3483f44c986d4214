"""`with_gap_head`: any convolutional network of torch as a classifier whose maps add up to its logits."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from medcam.core.errors import InvalidValueError
from medcam.models.backbones import Backbone
from medcam.models.classifier import GapClassifier
from medcam.models.pooling import GapHead
from medcam.models.surgery.cut import Cut
from medcam.models.surgery.tail import REPLACE, Step, check_kept, check_removable, refusal
from medcam.models.surgery.traced import Untraceable, cut_traced
from medcam.models.surgery.walked import cut_walked

PROBE_SIDE = 224
TOLERANCE = 1e-4
"""Largest difference between the logits of a network and of its copy with a GAP head, in logit units."""


class CutBackbone(Backbone):
    """A foreign network without its tail.

    Args:
        cut: The network in two parts.
        stride: Input pixels per feature cell.
    """

    def __init__(self, cut: Cut, stride: int) -> None:
        self._channels = cut.shape[1]
        super().__init__(cut.features, cut.features.forward, stride, cut.layer)

    def _measure(self) -> int:
        # Known from the probe; a foreign network need not take the input that the base would measure with.
        return self._channels


def with_gap_head(
    network: nn.Module,
    findings: int | None = None,
    *,
    replace: bool = False,
    layer: str | None = None,
    probe: Tensor | None = None,
) -> GapClassifier:
    """Turns a network that ends in convolution, pool and linear layers into a classifier with a GAP head.

    Where the tail is global average pooling and one linear layer, that layer's weights become the head's, and the
    logits stay what they were (Zhou et al. 2015, section 2). Otherwise `replace=True` puts a new linear layer behind
    the last feature map, as the paper does with AlexNet and VGG; it has to be trained. All weights before the tail are
    kept. The last feature map is found in the graph of the network (torch.fx), or by watching its layers where there
    is no graph.

    Args:
        network: Any module that makes scores [n, findings] of images [n, channels, height, width]; left as it is.
        findings: How many outputs a new linear layer has; None for as many as the network had.
        replace: Makes a new linear layer, with random weights by torch's own generator.
        layer: Name of the layer to pool, such as "features.28" for a finer map; None for the last feature map. With
            `replace`, whatever comes behind it is cut off unseen.
        probe: An input of the network, [n, channels, height, width]; None for noise of 224 x 224 pixels.

    Returns:
        The classifier: a copy, fp32, on the CPU, in evaluation mode. Its logits are the mean of its maps + bias.
        Dropout in the tail is gone.

    Raises:
        ModelError: It cannot be done, and the message says why and what can (code "no-gap-tail"): no feature map of
            more than one cell before the tail, several linear layers or none, global max pooling, attention, an output
            that is no table of scores, or a probe that the network does not take.
        InvalidValueError: `findings` is below 1, or given without `replace` and not what the network has.
    """
    if findings is not None and findings < 1:
        raise InvalidValueError("a classifier needs at least one finding")
    own = copy.deepcopy(network).cpu().float().eval()
    inputs = _noise(own) if probe is None else probe.detach().cpu().float()
    output = _run(own, inputs)
    if layer is not None and layer not in dict(own.named_modules()):
        raise refusal(f"it has no layer {layer!r}", "Choose a name from `network.named_modules()`.")
    cut = _cut(own, inputs, output, layer, fresh=replace)
    if not cut.named:
        check_removable(cut.steps)
    backbone = CutBackbone(cut, _stride(inputs, cut))
    if replace:
        return GapClassifier(backbone, GapHead(cut.shape[1], findings or _outputs(output))).eval()
    linear = check_kept(cut.steps, complete=cut.complete)
    classifier = GapClassifier(backbone, _kept(linear, cut.shape[1], findings)).eval()
    _compare(classifier, inputs, output)
    return classifier


def _noise(network: nn.Module) -> Tensor:
    first = next((module for module in network.modules() if isinstance(module, nn.Conv2d)), None)
    if first is None:
        raise refusal("it has no two-dimensional convolution", "Give a convolutional network.")
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, first.in_channels, PROBE_SIDE, PROBE_SIDE, generator=generator)


@torch.no_grad()
def _run(network: nn.Module, probe: Tensor) -> object:
    if probe.ndim != 4:
        raise InvalidValueError(f"a probe must be [n, channels, height, width], not {tuple(probe.shape)}")
    try:
        return network(probe)
    except Exception as error:
        size = " x ".join(str(side) for side in probe.shape)
        raise refusal(
            f"it does not take the probe of {size}: {error}", "Give probe= an input of the size that it is made for."
        ) from error


@torch.no_grad()
def _cut(network: nn.Module, probe: Tensor, output: object, layer: str | None, *, fresh: bool) -> Cut:
    try:
        return cut_traced(network, probe, output, layer, fresh=fresh)
    except Untraceable:
        return cut_walked(network, probe, output, layer, fresh=fresh)


def _stride(probe: Tensor, cut: Cut) -> int:
    return max(1, round(probe.shape[2] / cut.shape[2]))


def _outputs(output: object) -> int:
    if isinstance(output, Tensor) and output.ndim == 2:
        return int(output.shape[1])
    raise InvalidValueError("say how many findings the new linear layer has: the network's output does not tell")


def _kept(linear: Step, channels: int, findings: int | None) -> GapHead:
    """A head with the weights of a linear layer."""
    assert linear.weight is not None
    outputs, inputs = linear.weight.shape
    if inputs != channels:
        raise refusal(f"its linear layer has {inputs} inputs, and the last feature map {channels} channels", REPLACE)
    if findings not in (None, outputs):
        raise InvalidValueError(f"the network has {outputs} outputs, not {findings}", next_step=REPLACE)
    head = GapHead(channels, outputs)
    with torch.no_grad():
        head.weight.copy_(linear.weight)
        if linear.bias is not None:
            head.bias.copy_(linear.bias)
    return head


@torch.no_grad()
def _compare(classifier: GapClassifier, probe: Tensor, output: object) -> None:
    """The proof: whatever was read off the tail, the logits must be the same."""
    assert isinstance(output, Tensor)
    logits = classifier(probe).logits
    if logits.shape != output.shape or not torch.allclose(logits, output, atol=TOLERANCE, rtol=1e-5):
        far = float((logits - output).abs().max()) if logits.shape == output.shape else float("nan")
        raise refusal(
            f"with its last feature map averaged, the logits are up to {far:.3g} off: "
            "it pools in another way, or does something else on the way",
            REPLACE,
        )
