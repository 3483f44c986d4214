"""Whether a film is like the films that the model was trained on, and what to tell the reader about it."""

from __future__ import annotations

import math

from medcam.core.arrays import FloatArray
from medcam.core.explanation import OutOfDistribution
from medcam.core.prediction import Prediction
from medcam.core.protocols import Classifier


def judge(classifier: Classifier, inputs: FloatArray, prediction: Prediction) -> list[OutOfDistribution]:
    """Compares the scores of a batch with the threshold on the model's card.

    Args:
        classifier: The model.
        inputs: float32 [n, channels, height, width] in model-input space.
        prediction: What it said about them.

    Returns:
        One per film. Without a gate or a threshold nothing is flagged, and score or threshold are None.
    """
    threshold = classifier.card.out_of_distribution_threshold
    scores = classifier.out_of_distribution(inputs, prediction)
    if scores is None:
        return [OutOfDistribution(None, threshold, False)] * len(prediction)
    return [_against(float(score), threshold) for score in scores]


def strangeness_warning(ood: OutOfDistribution, *, withheld: bool) -> tuple[str, ...]:
    """What a reader must be told: nothing where the film passed a gate.

    Args:
        ood: The film's score.
        withheld: Whether present and absent are withheld for it.
    """
    if ood.flagged:
        figures = "" if ood.score is None else f" (score {ood.score:.3g}, flagged over {ood.threshold:.3g})"
        then = (
            "present or absent is withheld" if withheld else "present or absent is stated only because it was asked for"
        )
        return (
            f"out of distribution: this film is unlike the films the model was trained on{figures}; "
            f"its results are not reliable, and {then}",
        )
    if ood.score is None or ood.threshold is None:
        return (
            "the model has no out-of-distribution gate: nothing tells whether this film is like its training films",
        )
    return ()


def _against(score: float, threshold: float | None) -> OutOfDistribution:
    if not math.isfinite(score):  # features beyond all bounds are as strange as can be
        return OutOfDistribution(None, threshold, threshold is not None)
    return OutOfDistribution(score, threshold, threshold is not None and score > threshold)
