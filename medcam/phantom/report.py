"""A short report in radiology language that states what is on the phantom and what is not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from medcam.phantom.case import FINDINGS, Case
from medcam.phantom.truth import FindingTruth

NEGATIVES = {
    "Cardiomegaly": ("The heart is normal in size.", "Cardiac silhouette within normal limits.", "No cardiomegaly."),
    "Pleural Effusion": (
        "No pleural effusion.",
        "Costophrenic angles are sharp.",
        "No blunting of the costophrenic angles.",
    ),
    "Pneumothorax": ("No pneumothorax.", "No evidence of pneumothorax."),
    "Consolidation": ("No focal consolidation.", "No airspace opacity.", "The lungs are clear of consolidation."),
    "Nodule": ("No pulmonary nodule.", "No discrete nodule is seen."),
    "Mass": ("No lung mass.", "No mass lesion."),
    "Atelectasis": ("No atelectasis.", "No volume loss."),
    "Support Devices": ("No lines or tubes.", "No support devices."),
}


def write_report(case: Case, truths: Sequence[FindingTruth], rows: int) -> str:
    """Findings and impression.

    Args:
        case: The phantom, for its seed and view.
        truths: What lies on the film.
        rows: Height of the film, to name zones.

    Returns:
        Plain text of a few sentences.
    """
    rng = np.random.default_rng([case.seed, case.index, 11])
    present = {truth.name: truth for truth in truths}
    positive = [_sentence(truth, rows, rng) for truth in truths]
    negative = [str(rng.choice(NEGATIVES[name])) for name in FINDINGS if name not in present]
    view = "Portable AP chest radiograph." if case.patient.view == "AP" else "PA chest radiograph."
    findings = " ".join([view, *positive, *negative])
    impression = " ".join(positive) if positive else str(rng.choice(("No acute abnormality.", "Normal chest.")))
    return f"FINDINGS: {findings}\nIMPRESSION: {impression}"


def _zone(truth: FindingTruth, rows: int) -> str:
    middle = (truth.box.y + truth.box.height / 2) / rows
    return "upper" if middle < 0.36 else "mid" if middle < 0.52 else "lower"


def _sentence(truth: FindingTruth, rows: int, rng: np.random.Generator) -> str:
    side, zone, p = truth.side, _zone(truth, rows), truth.parameters
    millimetres = round(p.get("diameter_mm", p.get("rim_mm", 0.0)))
    options = {
        "Cardiomegaly": _cardiomegaly(p.get("cardiothoracic_ratio", 0.0)),
        "Pleural Effusion": _effusion(side, p.get("volume_ml", 0.0)),
        "Pneumothorax": (
            f"{_rim(millimetres)} {side} apical pneumothorax with a rim of about {millimetres} mm.",
            f"Visceral pleural line on the {side}, {_rim(millimetres).lower()} pneumothorax.",
        ),
        "Consolidation": (
            f"Airspace consolidation in the {side} {zone} zone.",
            f"Patchy opacity in the {side} {zone} lung consistent with consolidation.",
        ),
        "Nodule": (
            f"A {millimetres} mm nodule in the {side} {zone} zone.",
            f"Rounded nodule of {millimetres} mm projecting over the {side} {zone} lung.",
        ),
        "Mass": (
            f"A {millimetres / 10:.1f} cm mass in the {side} {zone} zone.",
            f"Lobulated mass in the {side} {zone} lung, {millimetres / 10:.1f} cm.",
        ),
        "Atelectasis": _atelectasis(side, truth.kind),
        "Support Devices": (
            f"Support devices in place: {truth.kind}.",
            f"{truth.kind[:1].upper()}{truth.kind[1:]} noted.",
        ),
    }[truth.name]
    return str(rng.choice(options))


def _cardiomegaly(ratio: float) -> tuple[str, ...]:
    degree = "mild" if ratio < 0.58 else "moderate" if ratio < 0.64 else "marked"
    return (f"{degree.capitalize()} cardiomegaly.", f"The heart is enlarged ({degree}), ratio {ratio:.2f}.")


def _effusion(side: str, volume: float) -> tuple[str, ...]:
    if volume < 300:
        return (f"Blunted {side} costophrenic angle.", f"Small {side} pleural effusion.")
    size = "Moderate" if volume < 800 else "Large"
    return (
        f"{size} {side} pleural effusion with a meniscus.",
        f"{size} {side} effusion obscures the hemidiaphragm.",
    )


def _rim(millimetres: int) -> str:
    return "Small" if millimetres < 20 else "Moderate" if millimetres < 35 else "Large"


def _atelectasis(side: str, kind: str) -> tuple[str, ...]:
    if kind == "plate":
        return (f"Plate-like atelectasis at the {side} base.", f"Linear {side} basal atelectasis.")
    return (
        f"{side.capitalize()} lower lobe atelectasis with a raised hemidiaphragm.",
        f"Volume loss of the {side} lower lobe.",
    )
