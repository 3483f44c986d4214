"""A network as an OpenVINO model, kept in the user's cache folder: converting takes seconds, reading milliseconds."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from medcam.core.card import InputRecipe
from medcam.core.folders import cache_folder
from medcam.models.engines.openvino_core import openvino_core
from medcam.models.engines.quiet_openvino import silent
from medcam.models.engines.torch_reference import Layers

OpenVinoModel = Any
"""`openvino.Model`: the package ships no types."""
FORMAT = 1
"""Of what is cached; another one is another key."""
MOST_KEPT = 8
"""Networks kept; those that were not used for longest go first."""
_MODEL = "network.xml"
_LOG = logging.getLogger(__name__)


def converted(package: ModuleType, layers: Layers, recipe: InputRecipe) -> OpenVinoModel:
    """The network as an OpenVINO model that takes any number of films; from the cache where it is there.

    Whether it computes what the network computes is not asked here: every engine is checked against torch when a model
    is loaded, and what the cache gives too.

    Args:
        package: `openvino`.
        layers: What is converted.
        recipe: What the network takes.
    """
    folder = _usable(cache_folder() / "openvino")
    if folder is None:
        return _convert(package, layers, recipe)
    place = folder / _key(package, layers, recipe)
    kept = _read(package, place)
    if kept is not None:
        return kept
    model = _convert(package, layers, recipe)
    _keep(package, model, place)
    return model


def _convert(package: ModuleType, layers: Layers, recipe: InputRecipe) -> OpenVinoModel:
    shape = (recipe.channels, recipe.height, recipe.width)
    # Traced with two films, so that no size of 1 is taken for a constant. What tracing warns of is checked by numbers.
    with silent(), warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        return package.convert_model(layers, example_input=torch.zeros(2, *shape), input=[-1, *shape])


def _key(package: ModuleType, layers: Layers, recipe: InputRecipe) -> str:
    """SHA-256 of all that decides the model: weights, structure, layers, input and versions."""
    digest = hashlib.sha256()
    versions = (FORMAT, str(package.__version__), torch.__version__)
    shape = (recipe.channels, recipe.height, recipe.width)
    told = [*map(str, versions), *map(str, shape), *layers.names, repr(layers.backbone), str(layers.backbone.stride)]
    digest.update(json.dumps(told).encode("utf-8"))
    for name, value in layers.backbone.state_dict().items():
        digest.update(f"{name} {value.dtype} {tuple(value.shape)} ".encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _usable(folder: Path) -> Path | None:
    """The cache folder, the user's own and closed to others; None where it cannot be had like that."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        told = folder.stat()
        if hasattr(os, "getuid") and (told.st_uid != os.getuid() or told.st_mode & 0o022):
            _LOG.info("the cache of converted networks is not used: others can write to it")
            return None
    except (OSError, RuntimeError):  # no home is a RuntimeError
        return None
    return folder


def _read(package: ModuleType, place: Path) -> OpenVinoModel | None:
    if not (place / _MODEL).is_file():
        return None
    try:
        model = openvino_core(package).read_model(place / _MODEL)
        os.utime(place)
    except (OSError, RuntimeError):
        _LOG.info("a converted network in the cache is damaged and is made again")
        shutil.rmtree(place, ignore_errors=True)
        return None
    return model


def _keep(package: ModuleType, model: OpenVinoModel, place: Path) -> None:
    """Puts a model into the cache in one step; a disk that refuses it leaves the next load as slow as this one."""
    try:
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=".part-") as part:
            package.save_model(model, Path(part) / "made" / _MODEL, compress_to_fp16=False)
            (Path(part) / "made").replace(place)
        kept = sorted(
            (one for one in place.parent.glob("[0-9a-f]*") if one.is_dir()), key=lambda one: one.stat().st_mtime
        )
        for old in kept[:-MOST_KEPT]:
            shutil.rmtree(old, ignore_errors=True)
    except (OSError, RuntimeError):
        _LOG.info("a converted network could not be put into the cache")
