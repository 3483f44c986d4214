"""MONAI's 2-D networks as feature extractors, with a choice of map resolution.

A backbone is the part of a classifier before its pooling: the last feature map *after* its ReLU, which is what the
class weights multiply. "Removing late down-sampling" (Zhou et al. 2015, section 3) makes the map finer: strides of the
last stages become 1 and the weights stay the same.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any, Literal, cast

import torch
from monai.networks.nets import DenseNet, EfficientNetBN, ResNet, SEResNet50
from torch import Tensor, nn

from medcam.core.errors import ModelError
from medcam.models.neck import Neck

STRIDES = (4, 8, 16, 32)
PADDING_MODES = ("zeros", "reflect", "replicate")
_Mirrored = Literal["reflect", "replicate"]
ENTRY_POINTS = "medcam.backbones"


class Backbone(nn.Module):
    """Features of a network before pooling.

    Attributes:
        network: MONAI's own module with its own key names.
        neck: What joins its stages, None where the last stage alone is used.
        out_channels: Channels of the features.
        stride: Input pixels per feature cell.
        layer: Name of the layer whose output the features are.
    """

    def __init__(
        self,
        network: nn.Module,
        features: Callable[[Tensor], Tensor],
        stride: int,
        layer: str,
        neck: nn.Module | None = None,
        stages: Callable[[Tensor], dict[str, Tensor]] | None = None,
    ) -> None:
        super().__init__()
        self.network, self.neck = network, neck
        self.stride, self.layer = stride, layer
        self._features, self._stages = features, stages
        self.out_channels = self._measure()

    def forward(self, images: Tensor) -> Tensor:
        """Features [n, channels, height / stride, width / stride] of images [n, c, height, width], not negative."""
        return self._features(images)

    def layers(self, images: Tensor) -> dict[str, Tensor]:
        """Outputs of the layers that can be named, from one pass, the earliest first; the last are the features.

        A network that tells no stages has its features alone.
        """
        return {self.layer: self._features(images)} if self._stages is None else self._stages(images)

    def add_constant_channel(self) -> None:
        """Lets the network see a second channel of ones beside the one it is given.

        A mean that was subtracted before a padded convolution is no bias: at the border fewer of its taps see it. With
        a channel of ones, padded alike, it is exact (`medcam.models.published.folding`).
        """
        features, stages = self._features, self._stages
        self._features = lambda images: features(with_ones(images))
        if stages is not None:
            self._stages = lambda images: stages(with_ones(images))

    @torch.no_grad()
    def _measure(self) -> int:
        first = next(module for module in self.network.modules() if isinstance(module, nn.Conv2d))
        was_training = self.training
        self.eval()
        size = int(self._features(torch.zeros(1, first.in_channels, 64, 64)).shape[1])
        self.train(was_training)
        return size


def with_ones(images: Tensor) -> Tensor:
    """Images [n, c, h, w] with a channel of ones behind theirs."""
    return torch.cat([images, torch.ones_like(images[:, :1])], dim=1)


Builder = Callable[..., Backbone]
_REGISTRY: dict[str, Builder] = {}


def register_backbone(name: str) -> Callable[[Builder], Builder]:
    """Registers a builder(in_channels, stride, **options) -> Backbone under a name."""

    def add(builder: Builder) -> Builder:
        _REGISTRY[name] = builder
        return builder

    return add


def backbone_names() -> tuple[str, ...]:
    """All registered names, those of installed plug-ins included."""
    plugged = (entry.name for entry in entry_points(group=ENTRY_POINTS))
    return tuple(sorted({*_REGISTRY, *plugged}))


def build_backbone(
    name: str,
    *,
    in_channels: int = 1,
    stride: int = 32,
    padding_mode: str = "zeros",
    constant_channel: bool = False,
    **options: Any,
) -> Backbone:
    """Builds a backbone with random weights.

    Args:
        name: See `backbone_names`.
        in_channels: Channels of the input.
        stride: Input pixels per feature cell: 32, 16, 8 or 4.
        padding_mode: "zeros", "reflect" or "replicate"; the latter two leave no cue of where the border is.
        constant_channel: The network sees a channel of ones behind those of the input.
        options: Passed to MONAI's constructor.

    Raises:
        ModelError: The name, stride or padding mode is unknown (`unknown-backbone`).
    """
    if stride not in STRIDES or padding_mode not in PADDING_MODES:
        raise ModelError(f"stride {stride} or padding {padding_mode!r} is not offered", code="unknown-backbone")
    builder = _REGISTRY.get(name) or next(
        (entry.load() for entry in entry_points(group=ENTRY_POINTS) if entry.name == name), None
    )
    if builder is None:
        known = ", ".join(backbone_names())
        raise ModelError(f"no backbone {name!r}", code="unknown-backbone", next_step=f"Known: {known}.")
    backbone: Backbone = builder(in_channels=in_channels + constant_channel, stride=stride, **options)
    if constant_channel:
        backbone.add_constant_channel()
    if padding_mode != "zeros":
        _set_padding(backbone, cast("_Mirrored", padding_mode))
    return backbone


def _set_padding(module: nn.Module, mode: _Mirrored) -> None:
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d) and not isinstance(layer.padding, str) and any(layer.padding):
            layer.padding_mode = mode
            vertical, horizontal = layer.padding
            layer._reversed_padding_repeated_twice = [int(horizontal)] * 2 + [int(vertical)] * 2


def _reductions(stride: int) -> int:
    """How many of the late halvings from stride 32 are left out."""
    return {32: 0, 16: 1, 8: 2, 4: 3}[stride]


@register_backbone("densenet121")
def _densenet121(in_channels: int, stride: int) -> Backbone:
    return _densenet(in_channels, stride, init_features=64, growth_rate=32, block_config=(6, 12, 24, 16))


@register_backbone("densenet")
def _densenet(in_channels: int, stride: int, **options: Any) -> Backbone:
    network = DenseNet(spatial_dims=2, in_channels=in_channels, out_channels=1, **options)
    transitions = [module for name, module in network.features.named_children() if name.startswith("transition")]
    natural = 4 * 2 ** len(transitions)
    drop = _drops(natural, stride, len(transitions))
    for transition in transitions[len(transitions) - drop :]:
        transition.pool = nn.Identity()
    return Backbone(network, lambda x: torch.relu(network.features(x)), stride, "class_layers.relu")


def _drops(natural: int, stride: int, most: int) -> int:
    drop, size = 0, natural
    while size > stride and drop < most:
        drop, size = drop + 1, size // 2
    if size != stride:
        raise ModelError(f"this network cannot have stride {stride}", code="unknown-backbone")
    return drop


_RESNETS: dict[str, dict[str, Any]] = {
    "resnet18": {"block": "basic", "layers": [2, 2, 2, 2], "block_inplanes": [64, 128, 256, 512]},
    "resnet34": {"block": "basic", "layers": [3, 4, 6, 3], "block_inplanes": [64, 128, 256, 512]},
    "resnet50": {"block": "bottleneck", "layers": [3, 4, 6, 3], "block_inplanes": [64, 128, 256, 512]},
}


def _resnet(in_channels: int, stride: int, *, neck: int = 0, **options: Any) -> Backbone:
    """A ResNet; with `neck` channels its first stage (stride 4) is joined with the last three at stride 8."""
    network = ResNet(
        spatial_dims=2, n_input_channels=in_channels, num_classes=1, conv1_t_size=7, conv1_t_stride=2, **options
    )
    stages = [network.layer2, network.layer3, network.layer4]
    if neck and stride != STRIDES[0]:
        raise ModelError(f"a neck gives stride {STRIDES[0]}, not {stride}", code="unknown-backbone")
    for stage in stages[1:] if neck else stages[len(stages) - _reductions(stride) :]:
        _unstride(stage[0])

    def last(x: Tensor) -> Tensor:
        return network.layer4(network.layer3(network.layer2(_first_stage(network, x))))  # type: ignore[no-any-return]

    def staged(x: Tensor) -> dict[str, Tensor]:
        return _all_stages(network, x)

    if not neck:
        return Backbone(network, last, stride, "layer4", stages=staged)
    joint = Neck([_channels(stage) for stage in (network.layer1, *stages)], neck)

    def joined(x: Tensor) -> Tensor:
        return joint(list(staged(x).values()))  # type: ignore[no-any-return]

    def and_neck(x: Tensor) -> dict[str, Tensor]:
        outputs = staged(x)
        return {**outputs, "neck": joint(list(outputs.values()))}

    return Backbone(network, joined, stride, "neck", neck=joint, stages=and_neck)


def _first_stage(network: ResNet, x: Tensor) -> Tensor:
    return network.layer1(network.maxpool(network.act(network.bn1(network.conv1(x)))))  # type: ignore[no-any-return]


def _all_stages(network: ResNet, x: Tensor) -> dict[str, Tensor]:
    """Outputs of layer1 to layer4, by name."""
    outputs = {"layer1": _first_stage(network, x)}
    for number in (2, 3, 4):
        outputs[f"layer{number}"] = getattr(network, f"layer{number}")(outputs[f"layer{number - 1}"])
    return outputs


def _channels(stage: nn.Module) -> int:
    """Output channels of a ResNet's stage."""
    norms = [module for module in stage.modules() if isinstance(module, nn.BatchNorm2d)]
    return int(norms[-1].num_features)


def _unstride(block: nn.Module) -> None:
    for layer in block.modules():
        if isinstance(layer, nn.Conv2d) and layer.stride == (2, 2):
            layer.stride = (1, 1)


@register_backbone("resnet")
def _free_resnet(in_channels: int, stride: int, **options: Any) -> Backbone:
    return _resnet(in_channels, stride, **({"block": "basic"} | options))


def _register_resnet(name: str) -> None:
    @register_backbone(name)
    def build(in_channels: int, stride: int) -> Backbone:
        return _resnet(in_channels, stride, **_RESNETS[name])


for _name in _RESNETS:
    _register_resnet(_name)


@register_backbone("seresnet50")
def _seresnet50(in_channels: int, stride: int) -> Backbone:
    network = SEResNet50(spatial_dims=2, in_channels=in_channels, num_classes=1)
    stages = [network.layer2, network.layer3, network.layer4]
    for stage in stages[len(stages) - _reductions(stride) :]:
        _unstride(stage[0])
    return Backbone(network, network.features, stride, "layer4")


_STRIDELESS = nn.Conv2d(1, 1, 1)


def _efficientnet(in_channels: int, stride: int, variant: str) -> Backbone:
    network = EfficientNetBN(variant, spatial_dims=2, in_channels=in_channels, num_classes=1, pretrained=False)
    strided = [block for block in network.modules() if getattr(block, "_depthwise_conv", _STRIDELESS).stride == (2, 2)]
    for block in strided[len(strided) - _reductions(stride) :]:
        convolution = cast("nn.Conv2d", block._depthwise_conv)
        convolution.stride = (1, 1)
        # MONAI pads by a fixed amount that was worked out for stride 2: one cell would be lost with stride 1.
        block._depthwise_conv_padding = nn.ZeroPad2d(convolution.kernel_size[0] // 2)

    def features(x: Tensor) -> Tensor:
        x = network._swish(network._bn0(network._conv_stem(network._conv_stem_padding(x))))
        x = network._blocks(x)
        x = network._conv_head(network._conv_head_padding(x))
        return network._swish(network._bn1(x))  # type: ignore[no-any-return]

    return Backbone(network, features, stride, "_bn1.swish")


def _register_efficientnet(name: str) -> None:
    @register_backbone(name)
    def build(in_channels: int, stride: int) -> Backbone:
        return _efficientnet(in_channels, stride, name)


for _name in ("efficientnet-b0", "efficientnet-b1", "efficientnet-b2"):
    _register_efficientnet(_name)

from medcam.models import efficientnet_lite as _efficientnet_lite  # noqa: E402, F401  registers itself
