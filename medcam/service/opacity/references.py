"""What a network is measured beside: chance, the usual place, the lungs themselves, the phantoms' model."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from medcam.core.card import RegionRule, RegionRuleKind
from medcam.evaluate.localisation import mean_interval
from medcam.models.registry import load_model
from medcam.service.opacity import figures as measure
from medcam.service.opacity.features import Features
from medcam.service.opacity.films import OpacityFilms
from medcam.service.training.picture_films import picture_film

PHANTOM_FINDING = "Consolidation"
LUNG = RegionRule("lung", RegionRuleKind.ABSOLUTE, 0.5, largest_only=False)
_SIDE = 40


def references(films: OpacityFilms, features: Features, work: Path) -> dict[str, measure.Figures]:
    """Figures of every reference, as plain values.

    Args:
        films: The films.
        features: For their lungs.
        work: Where the phantom model's outputs are kept.

    Returns:
        "chance": a random point, whose region is the whole film. "usual place": where other patients' boxes are.
        "lungs": the lungs that the atlas finds; their peak is the cell deepest within them. "phantom": the shipped
        phantom model's map of consolidation, which no real film taught.
    """
    rows, masks = sorted(films.boxes), measure.box_masks(films)
    areas = mean_interval(masks.mean(axis=(1, 2)), films.patients[rows])
    logits, maps = _phantom(films, work)
    usual = measure.reader_figures(films, None, measure.mean_position(films), (measure.HALF, measure.HALF))
    deep = np.stack([cv2.GaussianBlur(lungs, (0, 0), 2.0) for lungs in features.lungs])
    lungs = measure.reader_figures(films, None, features.lungs, (LUNG, LUNG))
    lungs["pointing"] = measure.reader_figures(films, None, deep, (measure.HALF,))["pointing"]
    phantom_rule = load_model().card.findings[_place()].region_rule
    return {
        "chance": measure.as_plain({"pointing": areas, "iou": areas, "iobb": areas}),
        "usual place": measure.as_plain(usual),
        "lungs": measure.as_plain(lungs),
        "phantom": measure.as_plain(measure.reader_figures(films, logits, maps, (phantom_rule, measure.HALF))),
    }


def _place() -> int:
    return load_model().card.finding_names.index(PHANTOM_FINDING)


def _phantom(films: OpacityFilms, work: Path) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Logits [n] and maps [n, h, w] of the phantom model, kept."""
    kept, model = work / "phantom.npz", load_model()
    if kept.is_file():
        with np.load(kept) as file:
            if len(file["logits"]) == len(films) and str(file["weights"]) == model.card.weights_sha256:
                return file["logits"], file["maps"].astype(np.float32)
    place, logits, maps = _place(), [], []
    for path in films.paths:
        prediction = model.predict(model.prepare(picture_film(path)).values[None])
        logits.append(prediction.logits[0, place])
        maps.append(cv2.resize(prediction.maps[0, place], (_SIDE, _SIDE), interpolation=cv2.INTER_AREA))
    np.savez(kept, logits=np.array(logits), maps=np.stack(maps).astype(np.float16), weights=model.card.weights_sha256)
    return np.array(logits), np.stack(maps)
