"""A linear detector on pooled features: trained, its strength chosen and its scores calibrated by cross-validation."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.svm import LinearSVC

from medcam.core.errors import InvalidValueError
from medcam.models.platt import platt
from medcam.models.probes.card import METHODS

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Values of scikit-learn's C that are tried, on standardised features: the smaller, the stronger the regularisation."""

RANDOM_PER_POSITIVE, HARD_PER_POSITIVE = 2, 1
"""Negatives drawn at random to begin with, and hard ones added in each round, per positive."""

MOST_STEPS = 10_000
STEADY = 1e-5
"""A feature whose spread is a smaller part of its mean is constant, but for rounding."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LinearSettings:
    """How a detector is trained.

    Args:
        method: "svm" (squared hinge loss, L2) or "logistic" (L2).
        strengths: Values of C to choose from.
        folds: Of the cross-validation; fewer where there are fewer patients of a kind.
        rounds: Of hard negatives; 0 trains with all negatives.
        seed: Of folds and of the choice of negatives.
    """

    method: str = "svm"
    strengths: tuple[float, ...] = STRENGTHS
    folds: int = 5
    rounds: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in METHODS or not self.strengths or self.folds < 2 or self.rounds < 0:
            raise InvalidValueError(f"a detector needs a method among {', '.join(METHODS)}, a strength and two folds")


@dataclass(frozen=True, eq=False)
class LinearFit:
    """A trained detector: logit = weights . pooled features + bias.

    Args:
        weights: float64 [features], standardisation and calibration folded in.
        bias: Likewise.
        strength: The C that was chosen.
        scale: Slope of the calibration.
        shift: Its offset.
        cross_logits: float64 [n]: the calibrated logits of the training films, each from a detector that was trained
            without its patient.
    """

    weights: Floats = field(repr=False)
    bias: float
    strength: float
    scale: float
    shift: float
    cross_logits: Floats = field(repr=False)

    def logits(self, features: npt.ArrayLike) -> Floats:
        """Logits [n] of pooled features [n, features]."""
        return np.asarray(np.asarray(features, dtype=np.float64) @ self.weights + self.bias)


def fit_linear(
    features: npt.ArrayLike, labels: npt.ArrayLike, patients: npt.ArrayLike, settings: LinearSettings
) -> LinearFit:
    """Trains a detector on pooled features (Zhou et al. 2015, section 4: a linear SVM on GAP features).

    C is the value whose cross-validated scores have the best AUC; of equals the smallest. These scores give the
    calibration too (Platt 1999). Patients never straddle a fold.

    Args:
        features: float [n, features].
        labels: [n], 1 with the finding, 0 without.
        patients: [n].
        settings: How.

    Raises:
        InvalidValueError: Shapes disagree, or there are fewer than two patients with and without the finding.
    """
    x, y, groups = _checked(features, labels, patients)
    folds = _folds(y, groups, settings)
    scores = {c: _cross_scores(x, y, folds, c, settings) for c in sorted(settings.strengths)}
    best = max(scores, key=lambda c: float(roc_auc_score(y, scores[c])))
    weights, bias = _train(x, y, best, settings)
    scale, shift = platt(scores[best], y)
    return LinearFit(scale * weights, scale * bias + shift, best, scale, shift, scale * scores[best] + shift)


def outer_folds(labels: npt.ArrayLike, patients: npt.ArrayLike, settings: LinearSettings) -> list[tuple[Ints, Ints]]:
    """Folds by patient, as (films to train on, films held back), other than those that `fit_linear` uses inside."""
    y, groups = np.asarray(labels), np.asarray(patients)
    return _folds(y, groups, settings, seed=settings.seed + 1)


def _checked(
    features: npt.ArrayLike, labels: npt.ArrayLike, patients: npt.ArrayLike
) -> tuple[Floats, Ints, npt.NDArray[np.generic]]:
    x, y, groups = np.asarray(features, dtype=np.float64), np.asarray(labels, dtype=np.int64), np.asarray(patients)
    if x.ndim != 2 or y.shape != (len(x),) or groups.shape != y.shape or not np.isfinite(x).all():
        raise InvalidValueError("a detector needs finite features [n, k], labels [n] and patients [n]")
    return x, y, groups


def _folds(
    y: npt.NDArray[np.generic], groups: npt.NDArray[np.generic], settings: LinearSettings, seed: int | None = None
) -> list[tuple[Ints, Ints]]:
    kinds = [len(np.unique(groups[y == kind])) for kind in (0, 1)]
    if min(kinds) < 2:
        raise InvalidValueError("cross-validation needs two patients with the finding and two without")
    splitter = StratifiedGroupKFold(
        min(settings.folds, *kinds), shuffle=True, random_state=settings.seed if seed is None else seed
    )
    return list(splitter.split(np.zeros(len(y)), y, groups))


def _cross_scores(x: Floats, y: Ints, folds: list[tuple[Ints, Ints]], c: float, settings: LinearSettings) -> Floats:
    scores = np.zeros(len(y))
    for train, held in folds:
        weights, bias = _train(x[train], y[train], c, settings)
        scores[held] = x[held] @ weights + bias
    return scores


def _train(x: Floats, y: Ints, c: float, settings: LinearSettings) -> tuple[Floats, float]:
    """Weights and bias on features as they are; with rounds, on some negatives alone."""
    if not settings.rounds:
        return _train_on(x, y, c, settings.method)
    used = y == 1
    absent = np.flatnonzero(y == 0)
    count = int(used.sum())
    drawn = np.random.default_rng(settings.seed).permutation(absent)[: RANDOM_PER_POSITIVE * count]
    used[drawn] = True
    weights, bias = _train_on(x[used], y[used], c, settings.method)
    for _ in range(settings.rounds):
        left = np.flatnonzero(~used)
        hardest = left[np.argsort(-(x[left] @ weights), kind="stable")][: HARD_PER_POSITIVE * count]
        used[hardest] = True
        weights, bias = _train_on(x[used], y[used], c, settings.method)
    return weights, bias


def _train_on(x: Floats, y: Ints, c: float, method: str) -> tuple[Floats, float]:
    mean, spread = x.mean(axis=0), x.std(axis=0)
    usable = spread > STEADY * np.abs(mean) + np.finfo(np.float32).tiny
    if len(np.unique(y)) < 2 or not usable.any():
        return np.zeros(x.shape[1]), 0.0
    scale = np.where(usable, spread, np.inf)
    options = {"C": c, "class_weight": "balanced", "max_iter": MOST_STEPS}
    model = LinearSVC(dual=False, **options) if method == "svm" else LogisticRegression(**options)
    model.fit((x - mean) / scale, y)
    weights = np.asarray(model.coef_[0] / scale, dtype=np.float64)
    return weights, float(model.intercept_[0] - weights @ mean)
