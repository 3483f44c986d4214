"""Learning curves of probes for findings that their model never saw: by number of films, layer and kind of detector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from medcam.core.arrays import FloatArray
from medcam.core.card import Interval
from medcam.core.errors import UsageError
from medcam.models.loaded import LoadedModel
from medcam.models.probes.card import METHODS
from medcam.models.probes.layers import layer_channels, pooled_layers
from medcam.models.probes.linear import LinearFit, LinearSettings, fit_linear
from medcam.models.training.films import Films
from medcam.models.training.validation import pointing_game
from medcam.service.measure.held_out import HeldOutPlan, held_out_model
from medcam.service.measure.probe_maps import auc_over_draws, detector_maps, share_over_draws
from medcam.service.training.phantom_films import PhantomFilms, phantom_films

POOL_SEED, TEST_SEED = 6161, 7171
"""Phantom seeds of the films that probes are fitted to and measured on; no other film is made of them."""

NEGATIVES = 2
"""Per positive."""
FEWEST = 4
PREVALENCE = 0.25


@dataclass(frozen=True, slots=True)
class ProbeCurvePlan:
    """How much is measured.

    Args:
        model: What is held out of the model's training, and that training's budget.
        counts: Positives that a probe is fitted to; each comes with twice as many negatives.
        draws: Times that films are drawn for each count.
        layers: Whose features are tried; empty for all.
        methods: Kinds of detector.
        pool: Phantoms to draw from.
        test: Phantoms to measure on.
        seed: Chooses the films that are measured on, and the draws.
    """

    model: HeldOutPlan = field(default_factory=HeldOutPlan)
    counts: tuple[int, ...] = (10, 25, 50, 100)
    draws: int = 5
    layers: tuple[str, ...] = ()
    methods: tuple[str, ...] = METHODS
    pool: int = 800
    test: int = 400
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.counts or min(self.counts) < FEWEST or min(self.draws, self.pool, self.test) < 1:
            raise UsageError(f"a curve needs draws, films, and counts of at least {FEWEST} positives")
        if not self.methods or set(self.methods) - set(METHODS):
            raise UsageError(f"a curve needs methods among {', '.join(METHODS)}")


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Probes of one kind, fitted to one number of films; 95 % bootstrap intervals over test films and draws.

    Args:
        finding: Which.
        layer: Whose pooled features.
        method: "svm" or "logistic".
        positives: Films with the finding that each probe was fitted to.
        negatives: Films without.
        draws: Probes.
        auc: Mean over probes.
        pointing: Share of maps of test films with the finding that peak in its mask.
    """

    finding: str
    layer: str
    method: str
    positives: int
    negatives: int
    draws: int
    auc: Interval
    pointing: Interval


@dataclass(frozen=True, slots=True)
class ProbeCurve:
    """Learning curves.

    Args:
        plan: What was asked for.
        trained_on: What the model's card says of its training films.
        findings: Those that the model knows.
        channels: Of each layer.
        test_films: Measured on.
        test_present: Of these, films with each finding held out.
        pool_present: Films with each finding that could be drawn.
        pointing_chance: Share of the film that the mask covers, mean over test films with the finding.
        points: Every point. Counts that the pool cannot fill are left out.
    """

    plan: ProbeCurvePlan
    trained_on: str
    findings: tuple[str, ...]
    channels: Mapping[str, int]
    test_films: int
    test_present: Mapping[str, int]
    pool_present: Mapping[str, int]
    pointing_chance: Mapping[str, float]
    points: tuple[CurvePoint, ...]

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return asdict(self)


def probe_curve(
    plan: ProbeCurvePlan,
    work: Path,
    *,
    workers: int = 1,
    threads: int = 1,
    report: Callable[[str], None] = lambda _: None,
) -> ProbeCurve:
    """Trains a model without some findings, and fits probes for them to its frozen features (Zhou et al. 2016, 4).

    Args:
        plan: How much.
        work: Where films and the model are kept; what an earlier call left there is taken.
        workers: Processes that render.
        threads: CPU threads.
        report: Called with what has been done.

    Raises:
        UsageError: A finding is on no test film, or on too few films of the pool.
        ModelError: The model has no such layer (code "probe-layer").
    """
    torch.set_num_threads(max(threads, 1))
    model = held_out_model(plan.model, work / "held-out", workers=workers, threads=threads)
    report(f"model without {' and '.join(plan.model.findings)}")
    pool = _films(plan, POOL_SEED, plan.pool, work, workers)
    test = _films(plan, TEST_SEED + plan.seed, plan.test, work, workers)
    report(f"{len(pool)} films to draw from, {len(test)} to measure on")
    channels = layer_channels(model)
    layers = plan.layers or tuple(channels)
    seen, unseen = (pooled_layers(model.network, _inputs(films), layers) for films in (pool, test))
    points: list[CurvePoint] = []
    for finding in plan.model.findings:
        points += [
            point
            for layer in layers
            for point in _points(plan, finding, layer, (pool, test), (seen[layer], unseen[layer]), model)
        ]
        report(f"probes for {finding}")
    return ProbeCurve(
        plan=plan,
        trained_on=model.card.training_data,
        findings=model.card.finding_names,
        channels={layer: channels[layer] for layer in layers},
        test_films=len(test),
        test_present={name: int(_labels(test, name).sum()) for name in plan.model.findings},
        pool_present={name: int(_labels(pool, name).sum()) for name in plan.model.findings},
        pointing_chance={name: float(_masks(test, name).mean()) for name in plan.model.findings},
        points=tuple(points),
    )


def _films(plan: ProbeCurvePlan, seed: int, count: int, work: Path, workers: int) -> Films:
    size = plan.model.size
    wanted = PhantomFilms(seed, count, size, (2 * size,), PREVALENCE, pairs=False, mask_size=size // 2)
    films = phantom_films(wanted, work / f"films-{seed}-{count}-{size}", workers=workers)
    for name in plan.model.findings:
        present = int(_labels(films, name).sum())
        if present < FEWEST or present == len(films):
            raise UsageError(
                f"{present} of {count} phantoms have {name}; {FEWEST} with it are needed, and some without",
                next_step="Give the plan more phantoms.",
            )
    return films


def _labels(films: Films, finding: str) -> npt.NDArray[np.int8]:
    return films.labels[:, films.names.index(finding)]


def _masks(films: Films, finding: str) -> npt.NDArray[np.bool_]:
    """Masks [n, side, side] of the films with the finding."""
    assert films.masks is not None
    return np.asarray(films.masks[_labels(films, finding) == 1, films.names.index(finding)])


def _inputs(films: Films) -> FloatArray:
    return films.images.astype(np.float32)[:, None]


def _points(
    plan: ProbeCurvePlan,
    finding: str,
    layer: str,
    films: tuple[Films, Films],
    pooled: tuple[FloatArray, FloatArray],
    model: LoadedModel,
) -> list[CurvePoint]:
    """All points of one finding and layer; `films` and `pooled` are those of the pool and of the test."""
    pool, test = films
    labels, truth = _labels(pool, finding), _labels(test, finding)
    kinds = [(method, count) for method in plan.methods for count in plan.counts if count <= int(labels.sum())]
    fits: list[list[LinearFit]] = []
    for method, count in kinds:
        chosen = [_drawn(labels, count, plan, finding, draw) for draw in range(plan.draws)]
        fits.append(
            [
                fit_linear(pooled[0][films], labels[films], pool.patients[films], LinearSettings(method, seed=draw))
                for draw, films in enumerate(chosen)
            ]
        )
    if not fits:
        return []
    weights = np.stack([fit.weights for row in fits for fit in row]).astype(np.float32)
    present = test.images[truth == 1].astype(np.float32)
    maps = detector_maps(model.network, present, layer, weights)
    hits = np.stack([pointing_game(maps[:, place], _masks(test, finding)) for place in range(len(weights))])
    hits = hits.reshape(len(kinds), plan.draws, -1)
    return [
        CurvePoint(
            finding=finding,
            layer=layer,
            method=method,
            positives=count,
            negatives=min(NEGATIVES * count, int((labels == 0).sum())),
            draws=plan.draws,
            auc=auc_over_draws(truth, np.stack([fit.logits(pooled[1]) for fit in row])),
            pointing=share_over_draws(pointed),
        )
        for (method, count), row, pointed in zip(kinds, fits, hits, strict=True)
    ]


def _drawn(
    labels: npt.NDArray[np.int8], count: int, plan: ProbeCurvePlan, finding: str, draw: int
) -> npt.NDArray[np.int64]:
    """Films of one draw; those of a smaller count are among those of a larger one, whatever layer and method."""
    rng = np.random.default_rng([plan.seed, plan.model.findings.index(finding), draw])
    positives, negatives = (rng.permutation(np.flatnonzero(labels == kind)) for kind in (1, 0))
    return np.concatenate([positives[:count], negatives[: NEGATIVES * count]])
