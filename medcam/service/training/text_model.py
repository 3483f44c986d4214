"""The detector of burned-in print: its pictures, its recipe, and the threshold of its map, set by labels alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from medcam.core.card import ModelCard, RegionRule, RegionRuleKind
from medcam.models.files import load_folder, save_model
from medcam.models.training.config import Augmentation, Extent, Objective, TrainingConfig
from medcam.models.training.films import Films
from medcam.models.training.loop import EpochRecord
from medcam.service.training.finish_model import run_on_films
from medcam.service.training.text_pictures import INTENSITY, TEXT, TextPictures, text_pictures
from medcam.service.training.train import Provenance, TrainingSets, train_model
from medcam.service.training.training_sets import Report

TRAIN_SEED, CHOICE_SEED, CALIBRATION_SEED = 1515, 2525, 3535
"""Phantom seeds that the detector has seen; measure it on others."""
QUIET = 0.85
"""Share of the pictures without print on which no cell reaches the map's threshold; they hold far more clutter than
films do. Chosen on ten phantoms of seed 6060."""

TEXT_RECIPE = TrainingConfig(
    backbone="resnet",
    backbone_options={"stride": 4, "neck": 24, "layers": [1, 1, 1, 1], "block_inplanes": [16, 24, 32, 48]},
    head_options={"finding_units": True},
    objective=Objective(pairs=0.0, extents={TEXT: Extent(0.002, 0.3)}),
    augmentation=Augmentation(shift=0.04, turn=5.0, zoom=0.15, flip=0.0, gamma=(0.7, 1.4), noise=0.05),
    epochs=10,
    batch=16,
)
"""Print is small and sharp: a fine map, few channels. A mirrored letter is no letter: no flips. The extent is that of
a side marker and of three long lines."""

INTENDED_USE = (
    "Finds print that was burned into radiographs, for `medcam deidentify --clean-pixels`. It knows nothing about the "
    "patient. Research. Not a medical device."
)
LIMITS = (
    "Trained on synthetic films with print from fonts, dots and drawn markers; handwriting was not among it.",
    "Boxes are cut at print, not at names: side markers, arrows and words of the technique are found alike.",
    "Use it through `medcam deidentify`, which looks at the film with 1024 pixels; small print is lost on the reduced "
    "film that `medcam annotate` shows it.",
)


@dataclass(frozen=True, slots=True)
class TextSets:
    """How many phantoms a run gets.

    Args:
        train: Phantoms of which windows are cut to learn from.
        side: Of the pictures in pixels.
    """

    train: int = 160
    side: int = 384


def text_sets(plan: TextSets, folder: Path, *, workers: int = 1, report: Report = lambda *_: None) -> TrainingSets:
    """Makes the pictures of a run in a folder, where a killed run finds them again; arguments as `phantom_sets`."""
    choice, calibration = max(4, 3 * plan.train // 20), max(8, plan.train // 4)
    plans = {
        "train": TextPictures(TRAIN_SEED, plan.train, max(2, 2 * plan.train // 3), side=plan.side),
        "validation": TextPictures(CHOICE_SEED, choice, choice, side=plan.side),
        "calibration": TextPictures(CALIBRATION_SEED, calibration, calibration, side=plan.side),
    }
    sets = {}
    for name, pictures in plans.items():

        def progress(done: int, count: int, name: str = name) -> None:
            report(name, done, count)

        sets[name] = text_pictures(pictures, folder / name, workers=workers, progress=progress)
    return TrainingSets(**sets)


def train_text_model(
    name: str,
    sets: TrainingSets,
    config: TrainingConfig,
    folder: Path,
    *,
    provenance: Provenance,
    report: Callable[[EpochRecord], None] = lambda _: None,
) -> ModelCard:
    """Trains the detector and writes its model folder; arguments as `train_model`.

    No outline is used anywhere: the map's threshold, too, comes from labels, as the value that pictures without print
    seldom reach (see `QUIET`).

    Returns:
        The card, as written.
    """
    train_model(name, sets, config, folder, provenance=provenance, intensity=INTENSITY, report=report)
    model = load_folder(folder)
    threshold = _threshold(run_on_films(model.network, sets.calibration).maps[:, 0], sets.calibration)
    rule = RegionRule("calibrated", RegionRuleKind.ABSOLUTE, threshold, largest_only=False)
    finding = replace(model.card.findings[0], region_rule=rule)
    card = replace(model.card, findings=(finding,), intended_use=INTENDED_USE, limits=LIMITS)
    return save_model(folder, model.network, card, model.gate)


def _threshold(maps: np.ndarray, films: Films) -> float:
    """The value of a map's highest cell that a share of `QUIET` of the pictures without print stays below."""
    clean = maps[films.labels[:, 0] == 0]
    return float(np.quantile(clean.max(axis=(1, 2)), QUIET))
