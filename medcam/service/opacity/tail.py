"""Training of the neck and the head on kept features: what lies below them stays as ImageNet made it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from medcam.models.classifier import ClassifierOutput, GapClassifier
from medcam.service.opacity.features import FAMILIES, VERSIONS, Features, new_classifier
from medcam.service.opacity.films import OpacityFilms

Rows = npt.NDArray[np.int64]

PAIRS_A_STEP, FILMS_A_STEP, FILMS_OF_A_STRATUM = 12, 24, 16
STRONGEST = 8
"""So many of a map's 400 cells must say yes where there is an opacity: 2 % of the film."""
CHANGED, UNCHANGED = 0.04, 0.01
"""Change of brightness from which a cell is one of the planted opacity, and below which it is none."""
DROPPED = 0.1
"""Share of the features' channels left out at random, a step at a time."""
FIRST_WEIGHT = 4.0


@dataclass(frozen=True, slots=True)
class Ingredients:
    """What a network learns from.

    Args:
        labels: Weight of the reports' labels, each for itself.
        ranks: Weight of the reports' labels where films of one stratum alone are compared: one with a finding ranks
            above one without, in score and in strongest cells.
        pairs: Weight of matched pairs: the film with the planted opacity ranks above the same film without.
        cells: Weight of the pairs' cells: those that were planted say yes, all others of films without a finding no.
        lungs: Weight of evidence outside the lungs of films whose lungs are known, which there should be none of.
        families: Of planted opacities that pairs are drawn from, each as often; see `features.FAMILIES`.
        stages: Of the frozen network, joined by the neck.
        epochs: Passes over the films.
        learning_rate: Peak of the one-cycle schedule.
        weight_decay: AdamW's.
    """

    labels: float = 0.0
    ranks: float = 0.0
    pairs: float = 0.0
    cells: float = 0.0
    lungs: float = 0.0
    families: tuple[str, ...] = ("plain",)
    stages: tuple[int, ...] = (5, 7)
    epochs: int = 6
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2


@dataclass(frozen=True, eq=False)
class Outputs:
    """What a network says of every version of films: logits [n, versions] and maps [n, versions, h, w]."""

    logits: npt.NDArray[np.float32]
    maps: npt.NDArray[np.float32]


def train_tail(films: OpacityFilms, features: Features, rows: Rows, recipe: Ingredients, seed: int) -> GapClassifier:
    """Trains on some of the films.

    Args:
        films: All films.
        features: Theirs.
        rows: Those to learn from.
        recipe: From what.
        seed: Of first weights and order.
    """
    torch.manual_seed(seed)
    classifier = new_classifier(recipe.stages).train()
    classifier.backbone.network.eval().requires_grad_(False)
    with torch.no_grad():
        classifier.head.weight.fill_(FIRST_WEIGHT)
        assert classifier.units is not None
        assert classifier.units.bias is not None
        classifier.units.bias.fill_(-1.0)
    learnt = [value for value in classifier.parameters() if value.requires_grad]
    optimiser = torch.optim.AdamW(learnt, recipe.learning_rate, weight_decay=recipe.weight_decay)
    steps = max(2, recipe.epochs * (len(rows) // PAIRS_A_STEP))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.learning_rate, steps)
    batches = _Batches(films, features, rows, recipe.families, seed)
    for _ in range(steps):
        optimiser.zero_grad()
        _loss(classifier, batches, recipe).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    return classifier.eval()


@torch.inference_mode()
def run_tail(classifier: GapClassifier, features: Features, rows: Rows) -> Outputs:
    """Every version of some films."""
    found = [read(classifier, *_tensors(features, row, np.arange(VERSIONS))) for row in rows]
    return Outputs(
        np.stack([output.logits[:, 0].numpy() for output in found]),
        np.stack([output.maps[:, 0].numpy() for output in found]),
    )


def read(classifier: GapClassifier, fine: Tensor, deep: Tensor) -> ClassifierOutput:
    """From the features of stages 5 and 7 on."""
    assert classifier.backbone.neck is not None
    if classifier.training:
        fine, deep = F.dropout2d(fine, DROPPED), F.dropout2d(deep, DROPPED)
    joined = [fine] if classifier.backbone.neck.deep is None else [fine, deep]
    return classifier.read(classifier.backbone.neck(joined))


class _Batches:
    """Draws films of a training set."""

    def __init__(
        self, films: OpacityFilms, features: Features, rows: Rows, families: tuple[str, ...], seed: int
    ) -> None:
        self._families = [FAMILIES[name] for name in families]
        self._features, self._labels, self._rows = features, films.labels, rows
        self._clean = rows[films.labels[rows] == 0]
        self._random = np.random.default_rng([seed, 11])
        strata = films.strata[rows]
        members = [rows[strata == name] for name in np.unique(strata)]
        # So few films that no stratum has both are one stratum.
        self._strata = [each for each in members if len(np.unique(films.labels[each])) == 2] or [rows]
        self._shares = np.array([len(each) for each in self._strata], dtype=np.float64)

    def pairs(self) -> tuple[Tensor, Tensor, Tensor]:
        """Features of films without, then with, an opacity, and what was planted [n, h, w]."""
        rows = self._random.choice(self._clean, min(PAIRS_A_STEP, len(self._clean)), replace=False)
        pair = self._random.integers(*self._families[self._random.integers(len(self._families))], len(rows))
        twice = np.concatenate([rows, rows])
        fine, deep = _tensors(self._features, twice, np.concatenate([1 + 2 * pair, 2 + 2 * pair]))
        return fine, deep, torch.from_numpy(self._features.change[rows, pair].astype(np.float32))

    def films(self, *, of_a_stratum: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Features, labels [n], and cells known to be outside the lungs [n, h, w]."""
        if of_a_stratum:
            stratum = self._strata[self._random.choice(len(self._strata), p=self._shares / self._shares.sum())]
            halves = [stratum[self._labels[stratum] == label] for label in (0, 1)]
            rows = np.concatenate([self._random.choice(half, FILMS_OF_A_STRATUM // 2) for half in halves])
        else:
            rows = self._random.choice(self._rows, FILMS_A_STEP)
        fine, deep = _tensors(self._features, rows, np.zeros(len(rows), np.int64))
        lungs = F.max_pool2d(torch.from_numpy(self._features.lungs[rows])[:, None], 3, 1, 1)[:, 0]
        known = torch.from_numpy(self._features.lungs_known[rows].astype(np.float32))
        return fine, deep, torch.from_numpy(self._labels[rows]).float(), (lungs < 0.3).float() * known[:, None, None]


def _tensors(features: Features, rows: Rows | np.int64, versions: Rows) -> tuple[Tensor, Tensor]:
    return tuple(torch.from_numpy(array[rows, versions].astype(np.float32)) for array in (features.fine, features.deep))  # type: ignore[return-value]


def _loss(classifier: GapClassifier, batches: _Batches, recipe: Ingredients) -> Tensor:
    terms: list[Tensor] = []
    if recipe.pairs or recipe.cells:
        terms.append(_of_pairs(classifier, batches, recipe))
    if recipe.labels or recipe.ranks or recipe.lungs:
        fine, deep, labels, outside = batches.films(of_a_stratum=not recipe.labels)
        units, logits = _units_and_logits(classifier, fine, deep)
        if recipe.labels:
            said = F.binary_cross_entropy_with_logits(logits, labels)
            strongest = F.binary_cross_entropy_with_logits(_strongest(units), labels)
            terms.append(recipe.labels * (said + strongest))
        if recipe.ranks:
            terms.append(recipe.ranks * (_ranked(logits, labels) + _ranked(_strongest(units), labels)))
        terms.append(recipe.lungs * (F.softplus(units) * outside).mean())
    return torch.stack(terms).sum()


def _of_pairs(classifier: GapClassifier, batches: _Batches, recipe: Ingredients) -> Tensor:
    fine, deep, change = batches.pairs()
    units, logits = _units_and_logits(classifier, fine, deep)
    without, planted = units.chunk(2)
    logit_without, logit_planted = logits.chunk(2)
    steps = F.softplus(-4.0 * (logit_planted - logit_without)).mean()
    steps = steps + F.softplus(_strongest(without) - _strongest(planted)).mean()
    told = F.softplus(-logit_planted).mean() + F.softplus(logit_without).mean()
    loss = recipe.pairs * (steps + 0.5 * told)
    if recipe.cells:
        here = (change > CHANGED).float()
        around = F.max_pool2d(change[:, None], 3, 1, 1)[:, 0]
        elsewhere = (around < UNCHANGED).float()
        no = _mean(F.softplus(planted), elsewhere) + F.softplus(without).mean()
        loss = loss + recipe.cells * (_mean(F.softplus(-planted), here) + no)
    return loss


def _units_and_logits(classifier: GapClassifier, fine: Tensor, deep: Tensor) -> tuple[Tensor, Tensor]:
    output = read(classifier, fine, deep)
    assert output.unit_logits is not None
    return output.unit_logits[:, 0], output.logits[:, 0]


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    return (values * weights).sum() / weights.sum().clamp_min(1.0)


def _strongest(units: Tensor) -> Tensor:
    return units.flatten(1).topk(STRONGEST, dim=1).values.mean(dim=1)


def _ranked(scores: Tensor, labels: Tensor) -> Tensor:
    """Logistic loss of every pair of films with and without (RankNet, Burges et al. 2005)."""
    return F.softplus(scores[labels == 0][:, None] - scores[labels == 1][None]).mean()
