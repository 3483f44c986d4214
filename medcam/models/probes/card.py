"""Probe cards: what a probe is, which model it belongs to, what it was fitted to and measured to do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from medcam.core.card import FindingCard
from medcam.core.errors import InvalidValueError, MedcamError, ModelError
from medcam.models.card_json import finding_from_json

METHODS = ("svm", "logistic")


@dataclass(frozen=True, slots=True)
class ProbeCard:
    """Everything a reader of a result may ask about a probe.

    Args:
        finding: What it finds: name, code, operating threshold, region rule, colour scale, measured figures.
        model: Name of the model whose features it reads.
        model_sha256: Digest of that model's weights; a probe is of no use on others.
        layer: The layer whose pooled features it weights.
        version: Of the probe.
        method: "svm" or "logistic".
        strength: scikit-learn's C, chosen by cross-validation.
        scale: Slope of the calibration, folded into the weights already.
        shift: Offset of the calibration, folded into the bias already.
        positives: Films with the finding that it was fitted to.
        negatives: Films without.
        patients: Patients among all of them.
        phrase: Of the reports that told positives from negatives; empty where people did.
        rounds: Of hard negatives.
        seed: Of folds and of the choice of negatives.
        training_command: The recorded command.
        intended_use: What for.
        limits: What it must not be used for, and where it fails.
        weights_sha256: Digest of the weights file; empty for a probe that was never saved.
    """

    finding: FindingCard
    model: str
    model_sha256: str
    layer: str
    version: str
    method: str = "svm"
    strength: float = 1.0
    scale: float = 1.0
    shift: float = 0.0
    positives: int = 0
    negatives: int = 0
    patients: int = 0
    phrase: str = ""
    rounds: int = 0
    seed: int = 0
    training_command: str = ""
    intended_use: str = "Research. Not a medical device."
    limits: tuple[str, ...] = ()
    weights_sha256: str = ""

    def __post_init__(self) -> None:
        if self.method not in METHODS or not self.layer or not self.version:
            raise InvalidValueError(f"a probe needs a layer, a version, and a method among {', '.join(METHODS)}")
        if not (self.scale > 0.0 and self.strength > 0.0):
            raise InvalidValueError("a probe's calibration and regularisation are positive")

    @property
    def name(self) -> str:
        """The finding's name, by which the probe is called too."""
        return self.finding.name


def probe_card_to_json(card: ProbeCard) -> str:
    """The card as indented JSON text."""
    return json.dumps(asdict(card), indent=1, ensure_ascii=False) + "\n"


def probe_card_from_json(text: str) -> ProbeCard:
    """Reads what `probe_card_to_json` wrote.

    Raises:
        ModelError: The text is not a probe's card (code "broken-probe").
    """
    try:
        fields: Mapping[str, Any] = json.loads(text)
        return ProbeCard(
            **{**fields, "finding": finding_from_json(fields["finding"]), "limits": tuple(fields["limits"])}
        )
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, MedcamError) as error:
        raise ModelError(
            "the card of the probe is damaged", code="broken-probe", next_step="Fit the probe again."
        ) from error
