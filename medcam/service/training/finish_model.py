"""From trained weights to a model that can be trusted as far as its card says: calibrated, measured, gated, saved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from medcam.cam.calibrate import calibrate_rule
from medcam.core.card import PAPER_RULE, FindingCard, ModelCard, RegionRule
from medcam.core.errors import ModelError
from medcam.core.relation import Relation
from medcam.evaluate.classification import youden_threshold
from medcam.models.classifier import GapClassifier, fold_calibration
from medcam.models.files import halve, save_model
from medcam.models.gate import fit_gate
from medcam.models.platt import platt
from medcam.models.training.films import Films
from medcam.models.training.losses import MapParameters
from medcam.service.training.card_figures import FilmOutputs, finding_figures, overall_figures

FALSE_ALARMS = 0.05
"""Share of known films that the out-of-distribution gate may flag."""

FULL_SCALE_QUANTILE = 0.75
"""The overlay's colour scale ends at this quantile of the peaks of films with the finding."""

Floats = npt.NDArray[np.float32]


@torch.inference_mode()
def run_on_films(classifier: GapClassifier, films: Films, batch: int = 64) -> FilmOutputs:
    """Runs a network in fp32 over films."""
    classifier.eval()
    parts: list[tuple[Floats, Floats, Floats]] = []
    for start in range(0, len(films), batch):
        output = classifier(torch.from_numpy(films.images[start : start + batch].astype(np.float32))[:, None])
        parts.append((output.maps.numpy(), output.logits.numpy(), output.pooled.numpy()))
    maps, logits, features = (np.concatenate(column) for column in zip(*parts, strict=True))
    return FilmOutputs(maps, logits, features)


def finish_model(
    classifier: GapClassifier,
    parameters: MapParameters,
    card: ModelCard,
    train: Films,
    calibration: Films,
    folder: Path,
    *,
    setting: Films | None = None,
) -> ModelCard:
    """Folds, calibrates, measures and saves.

    One half of the calibration patients sets probabilities, thresholds, region rules and the gate; the other half
    gives the figures on the card. Where other films set them, all of the calibration films give figures.

    Args:
        classifier: Trained, on the CPU.
        parameters: Its scale and biases, folded into the head here.
        card: A blank card.
        train: Films that it was trained on, for the gate.
        calibration: Films that it never saw.
        folder: Where the model goes.
        setting: Films of other patients that set probabilities, thresholds, region rules and the gate.

    Returns:
        The card as saved.

    Raises:
        ModelError: Training left weights that are not numbers (code "broken-weights"), or a head that takes no
            calibration (code "pooling-head").
        UsageError: There are too few calibration patients.
    """
    with torch.no_grad():
        classifier.head.rescale(parameters.scale.detach())
        classifier.head.bias.copy_(parameters.gap_bias.detach())
    setting, measuring = (setting, calibration) if setting is not None else calibration.split(0.5, seed=0)
    trained = run_on_films(classifier, setting).logits
    if not np.isfinite(trained).all():
        raise ModelError(
            "the trained network gives logits that are not numbers",
            code="broken-weights",
            next_step="Train again with a lower learning rate.",
        )
    scale, shift = _platt(trained, setting.labels)
    fold_calibration(classifier, torch.from_numpy(scale), torch.from_numpy(shift))
    halve(classifier)
    set_by, measured = run_on_films(classifier, setting), run_on_films(classifier, measuring)
    relation = classifier.head.relation
    calibrated = [_calibrate(f, number, set_by, setting, relation) for number, f in enumerate(card.findings)]
    findings = tuple(
        replace(finding, performance=finding_figures(finding, number, measured, measuring))
        for number, finding in enumerate(calibrated)
    )
    gate = fit_gate(
        run_on_films(classifier, train.subset(np.arange(0, len(train), max(1, len(train) // 3000)))).features
    )
    limit = float(np.quantile(gate.score(set_by.features), 1.0 - FALSE_ALARMS))
    card = replace(
        card,
        findings=findings,
        performance=overall_figures(findings, measured, measuring),
        out_of_distribution_threshold=limit,
        measured_on=f"{len(measuring)} held-out films of the kind that it was trained on, 95 % bootstrap intervals.",
    )
    return save_model(folder, classifier, card, gate)


def _platt(logits: Floats, labels: npt.NDArray[np.int8]) -> tuple[Floats, Floats]:
    """Scale and shift per finding that make the logits well calibrated; see `platt`."""
    known = labels >= 0
    fitted = [platt(logits[known[:, n], n], labels[known[:, n], n]) for n in range(logits.shape[1])]
    return np.array([scale for scale, _ in fitted], np.float32), np.array([shift for _, shift in fitted], np.float32)


def _calibrate(
    finding: FindingCard, number: int, outputs: FilmOutputs, films: Films, relation: Relation
) -> FindingCard:
    labels, probabilities = films.labels[:, number], outputs.probabilities[:, number]
    known, present = labels >= 0, labels == 1
    peaks = outputs.maps[present, number].max(axis=(1, 2)) if present.any() else np.zeros(0)
    # The cells of a map that is summed are as many times as small.
    lowest = 1e-3 / (outputs.maps[0, 0].size if relation is Relation.SUM else 1)
    return replace(
        finding,
        threshold=youden_threshold(labels[known], probabilities[known]),
        map_scale=max(float(np.quantile(peaks, FULL_SCALE_QUANTILE)), lowest) if peaks.size else 1.0,
        region_rule=_rule(outputs, films, number, present),
    )


def _rule(outputs: FilmOutputs, films: Films, number: int, present: npt.NDArray[np.bool_]) -> RegionRule:
    if films.masks is None or not films.masks[present, number].any():
        return replace(PAPER_RULE, name="calibrated")
    return calibrate_rule(outputs.maps[present, number], films.masks[present, number])
