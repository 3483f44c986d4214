"""Choosing a threshold on other patients than those it is measured on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from medcam.core.errors import UsageError
from medcam.evaluate.place_scores import FRACTIONS, PAPER, Cut

FEWEST_PATIENTS = 5
"""With fewer patients to choose on, nothing is chosen."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """A rule and what it was chosen on.

    Args:
        cut: The rule.
        chosen: Whether it was chosen; otherwise there was nothing to choose it on, or the caller named it.
        films: Films with the finding that it was chosen on.
        patients: Their patients, none of whom is measured.
        iou: Mean IoU there; None where nothing was chosen.
    """

    cut: Cut
    chosen: bool
    films: int = 0
    patients: int = 0
    iou: float | None = None


def for_tuning(patient: str, share: float, seed: int) -> bool:
    """Whether a patient is one to choose thresholds on: by a digest, so that it depends on nothing but the patient.

    Args:
        patient: Its identifier.
        share: Of all patients, 0 to below 1.
        seed: Another seed chooses others.

    Raises:
        UsageError: The share is out of range.
    """
    if not 0.0 <= share < 1.0:
        raise UsageError(f"the share of patients to choose on lies from 0 to below 1, not at {share}")
    digest = hashlib.sha256(f"{seed}:{patient}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < share * 2**64


def choose_fraction(curves: Sequence[npt.NDArray[np.float64]], patients: Sequence[str]) -> Tuned:
    """The share of a map's highest value with the highest mean IoU; the lowest of equals.

    Args:
        curves: Of each film with the finding: IoU at each of `FRACTIONS`.
        patients: Of each film.

    Returns:
        The rule; the paper's (20 % of the highest value, largest part) where there are fewer than `FEWEST_PATIENTS`.
    """
    count = len(set(patients))
    if count < FEWEST_PATIENTS:
        return Tuned(PAPER, chosen=False, films=len(curves), patients=count)
    means = np.mean(curves, axis=0)
    best = int(means.argmax())
    return Tuned(Cut("tuned", FRACTIONS[best]), True, len(curves), count, float(means[best]))
