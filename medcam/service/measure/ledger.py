"""How exactly maps add up to logits, and what they cost beside a forward pass that gives logits alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

import numpy as np
import torch
from monai.networks.nets import DenseNet121
from torch import Tensor, nn
from torch.nn import functional as F

from medcam.core.card import Interval
from medcam.core.protocols import Classifier
from medcam.models.surgery.gap_head import with_gap_head
from medcam.service.evaluation.cohort import CohortFilm
from medcam.service.evaluation.explained_films import explained_films

FINDINGS = 14
"""Of the network whose cost is measured: as many as ChestX-ray14 has."""


@dataclass(frozen=True, slots=True)
class LedgerFigures:
    """How maps and ledgers add up.

    Args:
        model: The model's name.
        films: Films explained.
        findings: Logits compared.
        map_difference: Largest |mean of the map (PCAM: sum) + bias - logit|, added up in double precision.
        ledger_difference: Largest |bias + evidence of all zones - logit|; nan without zones.
    """

    model: str
    films: int
    findings: int
    map_difference: float
    ledger_difference: float

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class CostFigures:
    """Cost of logits and all maps over that of logits alone, by the same network: DenseNet-121, 14 findings, fp32.

    Args:
        batch: Films per pass.
        side: Of the films in pixels.
        repeats: Pairs of passes, in turns.
        plain_ms: Median time of a pass that gives logits alone.
        ratio: Median of the pairs' ratios with its 95 % bootstrap interval.
    """

    batch: int
    side: int
    repeats: int
    plain_ms: float
    ratio: Interval

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return asdict(self)


def ledger_figures(films: Iterable[CohortFilm], model: Classifier) -> LedgerFigures:
    """Adds up every map and every ledger of films.

    Raises:
        ModelError: The model's head has no ledger (code `no-ledger`).
    """
    count, maps, ledgers = 0, [], []
    for one in explained_films(films, model):
        count += 1
        for finding in one.explanation.findings:
            ledger, shown = finding.evidence, finding.map
            total = float(shown.values.sum(dtype=np.float64)) * shown.cell_weight
            maps.append(abs(total + shown.bias - finding.logit))
            if ledger is not None and ledger.zones is not None:
                ledgers.append(abs(ledger.bias + sum(ledger.zones.values()) - finding.logit))
    return LedgerFigures(
        model=model.card.name,
        films=count,
        findings=len(maps),
        map_difference=float(max(maps)) if maps else float("nan"),
        ledger_difference=float(max(ledgers)) if ledgers else float("nan"),
    )


def cost_figures(batch: int, side: int, repeats: int, threads: int = 0) -> CostFigures:
    """Times a network with and without maps, in turns, so that what else the machine does meets both alike.

    Args:
        batch: Films per pass.
        side: Of the films in pixels.
        repeats: Pairs of passes; two more warm up.
        threads: CPU threads; 0 leaves torch's own choice.
    """
    if threads:
        torch.set_num_threads(threads)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        classifier = with_gap_head(DenseNet121(spatial_dims=2, in_channels=1, out_channels=FINDINGS))
    films = torch.randn(batch, 1, side, side, generator=torch.Generator().manual_seed(0))
    plain = _plain(classifier.backbone, classifier.head.weight, classifier.head.bias)
    pairs = np.array([(_seconds(plain, films), _seconds(classifier, films)) for _ in range(repeats + 2)])[2:]
    ratios = pairs[:, 1] / pairs[:, 0]
    drawn = np.random.default_rng(0).integers(0, repeats, (2000, repeats))
    low, high = np.percentile(np.median(ratios[drawn], axis=1), [2.5, 97.5])
    value = float(np.median(ratios))
    ratio = Interval(value, min(float(low), value), max(float(high), value))
    return CostFigures(batch, side, repeats, float(1000 * np.median(pairs[:, 0])), ratio)


def _plain(backbone: nn.Module, weight: Tensor, bias: Tensor) -> Callable[[Tensor], Tensor]:
    """The same network as it is usually written: pool, then the linear layer."""

    def forward(films: Tensor) -> Tensor:
        return F.linear(backbone(films).mean(dim=(2, 3)), weight, bias)

    return forward


@torch.inference_mode()
def _seconds(forward: Callable[[Tensor], object], films: Tensor) -> float:
    started = time.perf_counter()
    forward(films)
    return time.perf_counter() - started
