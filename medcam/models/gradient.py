"""Networks cut at a layer, for attribution methods: with a pooling head no hook is needed, any other is watched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from medcam.core.errors import ModelError
from medcam.models.classifier import GapClassifier


class SplitNetwork:
    """A classifier with a pooling head, cut where the head reads: backbone and head are called one after the other.

    Args:
        classifier: The network.
    """

    def __init__(self, classifier: GapClassifier) -> None:
        self.network = classifier
        self.layer = classifier.layer
        self.findings = int(classifier.head.bias.shape[0])

    def features(self, images: Tensor) -> Tensor:
        """What the class weights multiply, [n, k, h, w]."""
        return self.network.read(self.network.backbone(images)).features

    def logits(self, images: Tensor, features: Tensor | None = None) -> Tensor:
        """Logits [n, findings] of images, or of features in their place."""
        output = self.network(images) if features is None else self.network.head(features)
        logits: Tensor = output.logits
        return logits

    def class_maps(self, features: Tensor) -> Tensor:
        """Maps [n, findings, h, w], as the head shows them."""
        maps: Tensor = self.network.head(features).maps
        return maps


class HookedNetwork:
    """Any network, cut behind one of its modules, by a hook that ends with each call.

    Features in the module's place run the whole network again: what other ways the input takes to the output stay as
    they are.

    Args:
        network: Images [n, channels, height, width] to whatever `scores` takes.
        layer: Name of a module that runs once per pass and gives [n, k, h, w].
        findings: How many logits.
        scores: From the network's output to logits [n, findings]; the output itself by default.
    """

    def __init__(
        self, network: nn.Module, layer: str, findings: int, scores: Callable[[Any], Tensor] = lambda output: output
    ) -> None:
        modules = dict(network.named_modules())
        if layer not in modules or layer == "":
            raise ModelError(
                f"the network has no layer {layer!r}",
                code="cam-layer",
                next_step="Choose a name from `network.named_modules()`.",
            )
        self.network, self.layer, self.findings = network, layer, findings
        self._module, self._scores = modules[layer], scores

    def features(self, images: Tensor) -> Tensor:
        """The layer's output [n, k, h, w].

        Raises:
            ModelError: The layer gives something else, or does not run exactly once (code "cam-layer").
        """
        return self.both(images)[1]

    def logits(self, images: Tensor, features: Tensor | None = None) -> Tensor:
        """Logits [n, findings], with features in the place of the layer's output where they are given."""
        if features is None:
            return self._scores(self.network(images))
        return self._pass(images, features)[0]

    def both(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits [n, findings] and features [n, k, h, w] of one forward pass; raises as `features`."""
        return self._pass(images, None)

    def _pass(self, images: Tensor, put: Tensor | None) -> tuple[Tensor, Tensor]:
        seen: list[object] = []

        def watch(_module: nn.Module, _inputs: object, output: object) -> Tensor | None:
            # A copy: what comes next may write into it.
            seen.append(output.clone() if isinstance(output, Tensor) else output)
            return None if put is None else put.clone()

        with _hooked(self._module, watch):
            logits = self._scores(self.network(images))
        features = seen[0] if len(seen) == 1 else None
        if not isinstance(features, Tensor) or features.ndim != 4:
            raise ModelError(
                f"{self.layer} gives no feature map [n, k, h, w], or does not run exactly once in a pass",
                code="cam-layer",
                next_step="Choose another layer, such as the last convolution.",
            )
        return logits, features


@torch.no_grad()
def last_map_layer(network: nn.Module, images: Tensor) -> str:
    """The last module without children that gives a map of more than one cell: where methods look by default.

    Args:
        network: In evaluation mode.
        images: An input of it, [n, channels, height, width].

    Raises:
        ModelError: There is none (code "cam-layer").
    """
    found: list[str] = []

    def watcher(name: str) -> Callable[..., None]:
        def watch(_module: nn.Module, _inputs: object, output: object) -> None:
            if isinstance(output, Tensor) and output.ndim == 4 and min(output.shape[2:]) > 1:
                found.append(name)

        return watch

    handles = [
        module.register_forward_hook(watcher(name))
        for name, module in network.named_modules()
        if not any(module.children())
    ]
    try:
        network(images)
    finally:
        for handle in handles:
            handle.remove()
    once = [name for name in found if found.count(name) == 1]
    if not once:
        raise ModelError(
            "the network has no layer with a feature map that runs once in a pass",
            code="cam-layer",
            next_step="Name the layer to look at with layer=, or give a convolutional network.",
        )
    return once[-1]


@contextmanager
def _hooked(module: nn.Module, hook: Callable[..., Tensor | None]) -> Iterator[None]:
    handle = module.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()
