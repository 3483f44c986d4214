"""OpenVINO on the CPU."""

from __future__ import annotations

import threading
from types import ModuleType

import numpy as np
import torch
from torch import Tensor

from medcam.core.card import InputRecipe
from medcam.models.engines.converted import OpenVinoModel, converted
from medcam.models.engines.engine import RefusedError
from medcam.models.engines.names import OPENVINO, Candidate
from medcam.models.engines.openvino_core import openvino_core
from medcam.models.engines.quiet_openvino import load_openvino
from medcam.models.engines.torch_reference import Layers

_DEVICE = "CPU"
_HINTS = {"fp32": "f32", "bf16": "bf16"}
_AT_ONCE = {"fp32": 2}
"""Films of one request, at most; all of a batch where a precision is not named (docs/decisions/0020)."""


class OpenVinoEngine:
    """A network compiled by OpenVINO; see `FeatureEngine`.

    Args:
        package: `openvino`.
        model: The network, from `converted`.
        names: Its layers, in the order of its outputs.
        precision: "fp32" or "bf16".
        threads: Most that it uses.

    Raises:
        RefusedError: It compiles to another precision than was asked for.
    """

    name = OPENVINO

    def __init__(
        self, package: ModuleType, model: OpenVinoModel, names: tuple[str, ...], precision: str, threads: int
    ) -> None:
        self.precision, self._names, self._lock = precision, names, threading.Lock()
        settings = {
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
            "PERFORMANCE_HINT": "LATENCY",  # one request at a time, which has all threads
            "INFERENCE_NUM_THREADS": threads,
            "ENABLE_CPU_PINNING": False,  # the cores are shared with the decoders and with other processes
        }
        self._compiled = openvino_core(package).compile_model(model, _DEVICE, settings)
        used = self._compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
        if used != _HINTS[precision]:
            raise RefusedError(f"OpenVINO computes in {used} here")

    def layers(self, images: Tensor) -> dict[str, Tensor]:
        """As `FeatureEngine.layers`."""
        with self._lock:  # a compiled model answers one request at a time
            parts = [self._request(part) for part in torch.split(images, _AT_ONCE.get(self.precision, len(images)))]
        made = (torch.cat(layer) if len(layer) > 1 else layer[0] for layer in zip(*parts, strict=True))
        return dict(zip(self._names, made, strict=True))

    def _request(self, images: Tensor) -> list[Tensor]:
        results = self._compiled([images.numpy()])
        return [torch.from_numpy(np.asarray(results[number], np.float32)) for number in range(len(self._names))]


def openvino_precisions() -> tuple[str, ...]:
    """What OpenVINO computes in on this CPU without emulation, the fastest first; empty where it cannot be used."""
    package = load_openvino()
    if package is None:
        return ()
    try:
        told = openvino_core(package).get_property(_DEVICE, "OPTIMIZATION_CAPABILITIES")
    except RuntimeError:
        return ()
    return ("bf16", "fp32") if "BF16" in told else ("fp32",)


def build_openvino(layers: Layers, recipe: InputRecipe, candidate: Candidate, threads: int) -> OpenVinoEngine:
    """Converts and compiles a network.

    Raises:
        RefusedError: OpenVINO is not installed, or does not take the network, or not at this precision.
    """
    package = load_openvino()
    if package is None:
        raise RefusedError("OpenVINO is not installed")
    if candidate.precision not in openvino_precisions():
        raise RefusedError(f"this processor has no {candidate.precision}")
    try:
        model = converted(package, layers, recipe)
        return OpenVinoEngine(package, model, layers.names, candidate.precision, threads or torch.get_num_threads())
    except RefusedError:
        raise
    except Exception as error:
        raise RefusedError(f"OpenVINO does not take the network ({type(error).__name__})") from error
