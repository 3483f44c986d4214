"""A model as ONNX, logits first and maps second, its card in the file's metadata. It needs the extra `[onnx]`."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from medcam.core.card import NO_HEAD
from medcam.core.errors import ModelError
from medcam.models.classifier import GapClassifier
from medcam.models.exchange.own import CARD_KEY, card_text, own_tensors
from medcam.models.files import GATE
from medcam.models.loaded import LoadedModel
from medcam.models.published.checkpoint import MOST_BYTES, Checkpoint
from medcam.models.published.refusals import broken, too_large

INPUT, OUTPUTS = "images", ("logits", "maps")
NEEDED = ("onnx", "onnxscript")
OPSET = 18

_PREFIX = "network."


class _Both(nn.Module):
    """A classifier whose outputs are logits and maps."""

    def __init__(self, network: GapClassifier, *, maps: bool) -> None:
        super().__init__()
        self.network, self.maps = network, maps

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        output = self.network(images)
        return (output.logits, output.maps) if self.maps else (output.logits,)


def write_onnx(model: LoadedModel, path: Path) -> None:
    """Writes a model as ONNX, fp32, for batches of any size.

    Input "images" float32 [n, channels, height, width] in model-input space; outputs "logits" [n, findings] and "maps"
    [n, findings, h, w]. A model without class maps has no second output.

    Raises:
        ModelError: A package is missing (code "missing-package").
        OSError: The disk refuses it.
    """
    _need(*NEEDED)
    recipe, has_maps = model.card.input, model.card.head != NO_HEAD
    example = torch.zeros(2, recipe.channels, recipe.height, recipe.width)
    with _quiet():
        program: Any = torch.onnx.export(
            _Both(model.network, maps=has_maps).eval(),
            (example,),
            dynamo=True,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=list(OUTPUTS if has_maps else OUTPUTS[:1]),
            dynamic_shapes={INPUT: {0: torch.export.Dim("n")}},
            optimize=False,  # its names and numbers stay those of the network
            verbose=False,
        )
        made: Any = program.model_proto
    _describe(made, model)
    path.write_bytes(made.SerializeToString())


def read_onnx(path: Path) -> Checkpoint:
    """Reads the tensors of a file that `write_onnx` made; the graph is not looked at.

    Raises:
        ModelError: A package is missing ("missing-package"), the file is damaged ("broken-checkpoint") or too large
            ("checkpoint-too-large").
    """
    _need("onnx")
    if path.stat().st_size > MOST_BYTES:
        raise too_large("more than two gigabytes")
    onnx: Any = import_module("onnx")
    try:
        made = onnx.load_model_from_string(path.read_bytes())
        metadata = {str(prop.key): str(prop.value) for prop in made.metadata_props}
        tensors = {
            str(one.name).removeprefix(_PREFIX): torch.from_numpy(onnx.numpy_helper.to_array(one).copy())
            for one in made.graph.initializer
            if one.name.startswith((_PREFIX, GATE)) and not one.external_data
        }
    except Exception as error:
        # Whatever the parser says of bytes that are no model; it runs nothing.
        raise broken("it is no ONNX file") from error
    return Checkpoint(tensors, metadata=metadata)


def _describe(made: Any, model: LoadedModel) -> None:  # noqa: ANN401  a message of the optional package
    onnx: Any = import_module("onnx")
    onnx.helper.set_model_props(made, {CARD_KEY: card_text(model)})
    made.producer_name, made.doc_string = "medcam", "Research use. Not a medical device."
    for name, value in own_tensors(model).items():
        if name.startswith(GATE):
            made.graph.initializer.append(onnx.numpy_helper.from_array(value.numpy(), name))


def _need(*packages: str) -> None:
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise ModelError(
            f"ONNX needs {' and '.join(missing)}, which are not installed",
            code="missing-package",
            next_step="Install medcam with its extra: pip install 'medcam-cxr[onnx]'.",
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's notes on packages that are not needed, and on its own deprecations."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
