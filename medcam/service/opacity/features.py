"""Features of all films and of their matched pairs, made once and kept: a stopped run goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch

from medcam.anatomy import find_zones
from medcam.core.card import InputRecipe
from medcam.core.zones import ZONES
from medcam.models.classifier import GapClassifier, new_network
from medcam.models.efficientnet_lite import imagenet_state
from medcam.models.engines.engine import FeatureEngine, RefusedError
from medcam.models.engines.names import OPENVINO, Candidate
from medcam.models.engines.openvino_engine import build_openvino
from medcam.models.engines.torch_reference import Layers, ReferenceEngine
from medcam.models.preprocess import prepare
from medcam.service.opacity.films import OpacityFilms
from medcam.service.opacity.planted import plant
from medcam.service.opacity.planted_zones import plant_zones
from medcam.service.training.picture_films import picture_film

SIDE, STRIDE, NECK = 320, 16, 32
BLACK, WHITE = -127 / 128, 1.0
RECIPE = InputRecipe(SIDE, SIDE, black=BLACK, white=WHITE)
"""As the published weights want it, for one channel."""
BACKBONE, BACKBONE_OPTIONS = "efficientnet-lite0", {"stride": STRIDE, "neck": NECK}
HEAD_OPTIONS = {"head": "gap", "finding_units": True}

FAMILIES = {"plain": (0, 2), "zones": (2, 5)}
"""First pair of each family of planted opacities, and the one behind its last; see `planted` and `planted_zones`."""
STAGES = ("stage5", "stage7")
PAIRS = 5
VERSIONS = 1 + 2 * PAIRS
"""Of each film: as it is; then, for each pair of a film without a finding, without and with a planted opacity."""
ZONE_SIDE, LUNG_ZONES = 112, 6
GOOD_ZONES, BEST_ZONES = 0.4, 0.8
"""Quality from which a film's own zones are used, and from which they make the mean ones for the other films."""
KEPT_EVERY = 20

Report = Callable[[str, int, int], None]
Halves = npt.NDArray[np.float16]


@dataclass(frozen=True, eq=False)
class Features:
    """What the frozen stages make of films.

    Args:
        fine: float16 [n, versions, channels, h, w], of stage 5.
        deep: float16 [n, versions, channels, h / 2, w / 2], of stage 7.
        change: float16 [n, pairs, h, w], how much was planted.
        extent: float16 [n, pairs, h, w], where, 0 to 1.
        lungs: float32 [n, h, w], share of each cell that is lung; of the film as it is.
        lungs_known: bool [n], whether the film's own zones are good.
    """

    fine: Halves = field(repr=False)
    deep: Halves = field(repr=False)
    change: Halves = field(repr=False)
    extent: Halves = field(repr=False)
    lungs: npt.NDArray[np.float32] = field(repr=False)
    lungs_known: npt.NDArray[np.bool_] = field(repr=False)

    def __len__(self) -> int:
        return len(self.fine)


def new_classifier(stages: tuple[int, ...] = (5, 7)) -> GapClassifier:
    """The network with ImageNet's weights below its neck, random ones above.

    Args:
        stages: Those that the neck joins.

    Raises:
        ModelError: The weights are not installed (code "no-such-model").
    """
    classifier = new_network(BACKBONE, BACKBONE_OPTIONS | {"stages": stages}, HEAD_OPTIONS, 1)
    network = classifier.backbone.network
    wanted = network.state_dict().keys()
    network.load_state_dict({name: value for name, value in imagenet_state(in_channels=1).items() if name in wanted})
    return classifier


@torch.inference_mode()
def film_features(films: OpacityFilms, folder: Path, seed: int, report: Report = lambda *_: None) -> Features:
    """Features of films and of their pairs, kept in a folder that belongs to these films and this seed alone.

    Args:
        films: The films.
        folder: Where they are kept.
        seed: Of what is planted.
        report: Called with (what, done, in all).
    """
    folder.mkdir(parents=True, exist_ok=True)
    zones, quality = lung_zones(films, folder, report)
    known = quality > GOOD_ZONES
    best = quality > min(BEST_ZONES, float(np.quantile(quality, 0.75)))
    mean = zones[best].astype(np.float32).mean(axis=0)
    engine = _engine()
    cells = SIDE // STRIDE
    shapes = {"fine": (VERSIONS, 112, cells, cells), "deep": (VERSIONS, 320, cells // 2, cells // 2)}
    arrays = {
        name: _kept(folder / f"{name}.npy", (len(films), *shape), np.float16)
        for name, shape in (shapes | dict.fromkeys(("change", "extent"), (PAIRS, cells, cells))).items()
    }
    done = _kept(folder / "done.npy", (len(films),), np.bool_)
    for row in np.flatnonzero(~done).tolist():
        own = np.stack([resized(zone, SIDE) for zone in (zones[row] if known[row] else mean).astype(np.float32)])
        pairs = 0 if films.labels[row] else PAIRS
        versions = _versions(films, row, own, seed, arrays["change"][row, :pairs], arrays["extent"][row])
        for version, film in enumerate(versions):
            found = engine.layers(torch.from_numpy(as_input(film))[None, None])
            arrays["fine"][row, version], arrays["deep"][row, version] = (found[name][0].numpy() for name in STAGES)
        done[row] = True
        if row % KEPT_EVERY == 0:
            report("features", row + 1, len(films))
    lungs = np.stack([resized(zone.astype(np.float32).sum(axis=0), cells) for zone in zones])
    return Features(arrays["fine"], arrays["deep"], arrays["change"], arrays["extent"], lungs, known)


def _versions(
    films: OpacityFilms, row: int, zones: npt.NDArray[np.float32], seed: int, change: Halves, extent: Halves
) -> list[npt.NDArray[np.float32]]:
    """The film, then its pairs, 0 to 1; what was planted into `change` and `extent` [pairs, h, w]."""
    film = film_input(films.paths[row])
    versions = [film]
    for number in range(len(change)):
        rng = np.random.default_rng([seed, int(films.patients[row]), row, number])
        pair = (plant if number < FAMILIES["plain"][1] else plant_zones)(film, zones, rng)
        change[number] = resized(pair.change, change.shape[-1])
        extent[number] = resized(pair.extent, change.shape[-1])
        versions += [pair.without, pair.planted]
    return versions


def film_input(path: Path) -> npt.NDArray[np.float32]:
    """A picture by the recipe, 0 to 1, float32 [side, side]."""
    values = prepare(picture_film(path), RECIPE).values[0]
    return np.asarray((values - BLACK) / (WHITE - BLACK), dtype=np.float32)


def as_input(film: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The other way round."""
    return np.asarray(BLACK + film * np.float32(WHITE - BLACK), dtype=np.float32)


def _engine() -> FeatureEngine:
    """The frozen stages in fp32, by OpenVINO where it is there, which is quicker on a processor."""
    layers = Layers(new_classifier().backbone.eval(), STAGES)
    try:
        return build_openvino(layers, RECIPE, Candidate(OPENVINO, "fp32"), 0)
    except RefusedError:
        return ReferenceEngine(layers.backbone, STAGES)


def lung_zones(films: OpacityFilms, folder: Path, report: Report) -> tuple[Halves, npt.NDArray[np.float64]]:
    """Lung zones [n, 6, side, side] of the atlas, and how good they are [n]."""
    kept = folder / "zones.npz"
    if kept.is_file():
        with np.load(kept) as file:
            return file["m"][:, :LUNG_ZONES], file["q"]
    masks, quality = [], []
    for path in films.paths:
        found = find_zones(picture_film(path))
        masks.append(
            np.stack([resized(found.masks[name].astype(np.float32), ZONE_SIDE) for name in ZONES[:LUNG_ZONES]])
        )
        quality.append(found.quality)
        if len(masks) % KEPT_EVERY == 0:
            report("zones", len(masks), len(films))
    np.savez(kept, m=np.stack(masks).astype(np.float16), q=np.array(quality))
    return np.stack(masks).astype(np.float16), np.array(quality)


def resized(values: npt.NDArray[np.float32], side: int) -> npt.NDArray[np.float32]:
    """Values [h, w] on a square raster: area means where it is coarser, linear where it is finer."""
    way = cv2.INTER_AREA if side < values.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(values, (side, side), interpolation=way), dtype=np.float32)


def _kept(path: Path, shape: tuple[int, ...], kind: type[Any]) -> Any:  # noqa: ANN401  a memory map of any kind
    """An array on disk, as it was left, or new and nought."""
    if path.is_file():
        array = np.lib.format.open_memmap(path, "r+")
        if array.shape == shape:
            return array
    return np.lib.format.open_memmap(path, "w+", kind, shape)
