"""Probes fitted by phrases of reports: what they tell apart on unseen phantoms, and whether their maps lie on the mask.

The reports are those of `medcam.service.measure.phrase_reports`. Phrases without a visual meaning are fitted and
measured alike; they should come out at chance.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from medcam.core.arrays import FloatArray
from medcam.core.card import Interval
from medcam.core.errors import UsageError
from medcam.evaluate.classification import auc_interval
from medcam.evaluate.localisation import share_interval
from medcam.models.loaded import LoadedModel
from medcam.models.probes.layers import default_layer, pooled_layers
from medcam.models.probes.linear import LinearFit, LinearSettings, fit_linear
from medcam.models.registry import load_model
from medcam.models.training.films import Films
from medcam.phantom import Case, sample_case
from medcam.service.measure.phrase_masks import PlacedFigures, concept_masks, placed
from medcam.service.measure.phrase_reports import CONCEPTS, IDLE_PHRASES, Concept, varied_report
from medcam.service.measure.probe_maps import detector_maps
from medcam.service.probes.negation import Phrase, Said, said_of
from medcam.service.probes.reports import ROUNDS
from medcam.service.probes.words import clauses
from medcam.service.training.phantom_films import PhantomFilms, phantom_films

POOL_SEED, TEST_SEED = 8282, 9292
"""Phantom seeds of the films that probes are fitted to and measured on; no other film is made of them."""

FEWEST = 4
"""Films with a phrase, and without it, to fit to and to measure on."""

MASK_SIDE = 128


@dataclass(frozen=True, slots=True)
class PhrasePlan:
    """How much is measured.

    Args:
        model: Name or folder of the frozen model.
        phrases: Which of the phrases; empty for all.
        pool: Phantoms with reports to fit to.
        test: Phantoms to measure on.
        rendered: Side at which films are rendered before they are reduced to the model's input.
        prevalence: Of each finding.
        method: "svm" or "logistic".
        rounds: Of hard negatives.
        seed: Chooses the films that are measured on.
    """

    model: str = "phantom"
    phrases: tuple[str, ...] = ()
    pool: int = 900
    test: int = 500
    rendered: int = 384
    prevalence: float = 0.25
    method: str = "svm"
    rounds: int = ROUNDS
    seed: int = 0

    def __post_init__(self) -> None:
        known = [concept.phrase for concept in CONCEPTS] + list(IDLE_PHRASES)
        if set(self.phrases) - set(known):
            raise UsageError(f"there is no phrase {min(set(self.phrases) - set(known))!r}: {', '.join(known)}")
        if min(self.pool, self.test) < 2 * FEWEST or self.rendered % MASK_SIDE:
            raise UsageError(f"phrases need films, rendered at a side that {MASK_SIDE} divides")


@dataclass(frozen=True, slots=True)
class PhraseFigures:
    """One phrase.

    Args:
        phrase: The phrase.
        finding: Whose mask the map should lie on; empty for a phrase without a visual meaning.
        reports: Reports of the pool by what they say of it.
        right: Of films whose report affirms it, the share that truly shows it; None for a phrase without meaning.
        right_plain: The same for reports that hold the phrase in any way, negated or not: what matching alone gives.
        positives: Test films that truly show it; of a phrase without meaning, whose report holds it.
        negatives: Test films that do not.
        auc: On these.
        placed: Where the maps of test films that show it lie; None for a phrase without meaning.
    """

    phrase: str
    finding: str
    reports: Mapping[str, int]
    right: Interval | None
    right_plain: Interval | None
    positives: int
    negatives: int
    auc: Interval
    placed: PlacedFigures | None


@dataclass(frozen=True, slots=True)
class PhrasesFigures:
    """All phrases of a plan.

    Args:
        plan: What was asked for.
        model: The model's name.
        layer: Whose features are read.
        phrases: Figures; those with a visual meaning first.
        left_out: Phrases that too few films hold.
    """

    plan: PhrasePlan
    model: str
    layer: str
    phrases: tuple[PhraseFigures, ...]
    left_out: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class _Films:
    """Films, what they truly show, their reports, and what the model's layer says of them."""

    films: Films
    cases: Sequence[Case]
    reports: Sequence[str]
    pooled: FloatArray


def measure_phrases(
    plan: PhrasePlan,
    work: Path,
    *,
    workers: int = 1,
    threads: int = 1,
    report: Callable[[str], None] = lambda _: None,
) -> PhrasesFigures:
    """Fits a probe to each phrase and measures it on unseen phantoms (Zhou et al. 2016, section 4.2).

    Args:
        plan: How much.
        work: Where films are kept; those of an earlier call are taken.
        workers: Processes that render.
        threads: CPU threads.
        report: Called with what has been done.
    """
    torch.set_num_threads(max(threads, 1))
    model = load_model(plan.model)
    layer = default_layer(model.network)
    pool = _films(plan, model, layer, POOL_SEED, plan.pool, work, workers)
    test = _films(plan, model, layer, TEST_SEED + plan.seed, plan.test, work, workers)
    report(f"{plan.pool} films with reports, {plan.test} to measure on")
    found: list[PhraseFigures] = []
    left_out = []
    for phrase, concept in _phrases(plan):
        figures = _figures(Phrase(phrase), concept, plan, (pool, test), model, layer)
        found += [figures] if figures else []
        left_out += [] if figures else [phrase]
        report(f"phrase {phrase!r}")
    return PhrasesFigures(plan, model.card.name, layer, tuple(found), tuple(left_out))


def _phrases(plan: PhrasePlan) -> list[tuple[str, Concept | None]]:
    every: list[tuple[str, Concept | None]] = [(concept.phrase, concept) for concept in CONCEPTS]
    every += [(phrase, None) for phrase in IDLE_PHRASES]
    return [(phrase, concept) for phrase, concept in every if not plan.phrases or phrase in plan.phrases]


def _films(plan: PhrasePlan, model: LoadedModel, layer: str, seed: int, count: int, work: Path, workers: int) -> _Films:
    size = model.card.input.height
    wanted = PhantomFilms(seed, count, size, (plan.rendered,), plan.prevalence, pairs=False, mask_size=MASK_SIDE)
    films = phantom_films(wanted, work / f"films-{seed}-{count}-{size}-{plan.rendered}", workers=workers)
    cases = [sample_case(seed, index, prevalence=plan.prevalence) for index in range(count)]
    pooled = np.concatenate(
        [
            pooled_layers(model.network, films.images[start : start + 64].astype(np.float32)[:, None], [layer])[layer]
            for start in range(0, count, 64)
        ]
    )
    return _Films(films, cases, [varied_report(case) for case in cases], pooled)


def _figures(
    phrase: Phrase,
    concept: Concept | None,
    plan: PhrasePlan,
    both: tuple[_Films, _Films],
    model: LoadedModel,
    layer: str,
) -> PhraseFigures | None:
    """None where too few films hold the phrase."""
    pool, test = both
    said = np.array([said_of(phrase, text) for text in pool.reports])
    labels = np.where(said == Said.AFFIRMED, 1, np.where(said == Said.DOUBTED, -1, 0))
    truth = _truth(phrase, concept, test)
    if min((labels == 1).sum(), (labels == 0).sum(), (truth == 1).sum(), (truth == 0).sum()) < FEWEST:
        return None
    used, measured = labels >= 0, truth >= 0
    fit = fit_linear(
        pool.pooled[used],
        labels[used],
        pool.films.patients[used],
        LinearSettings(plan.method, rounds=plan.rounds, seed=plan.seed),
    )
    held = np.array([any(phrase.find(clause) for clause in clauses(text)) for text in pool.reports])
    shown = _truth(phrase, concept, pool) == 1
    return PhraseFigures(
        phrase=phrase.text,
        finding=concept.finding if concept else "",
        reports={str(kind): int((said == kind).sum()) for kind in Said},
        right=share_interval(shown[labels == 1]) if concept else None,
        right_plain=share_interval(shown[held]) if concept else None,
        positives=int((truth == 1).sum()),
        negatives=int((truth == 0).sum()),
        auc=auc_interval(truth[measured], fit.logits(test.pooled[measured])),
        placed=_placed(concept, fit, truth == 1, test, model, layer) if concept else None,
    )


def _truth(phrase: Phrase, concept: Concept | None, films: _Films) -> npt.NDArray[np.int8]:
    """1 where a film shows what the phrase says, 0 where not, -1 where neither can be said; [n]."""
    if concept is None:
        return np.array([said_of(phrase, text) is Said.AFFIRMED for text in films.reports], dtype=np.int8)
    shown = [1 if concept.spec(case) else -1 if concept.unclear(case) else 0 for case in films.cases]
    return np.array(shown, dtype=np.int8)


def _placed(
    concept: Concept,
    fit: LinearFit,
    shown: npt.NDArray[np.bool_],
    test: _Films,
    model: LoadedModel,
    layer: str,
) -> PlacedFigures | None:
    """Maps of films that show the concept against its masks; None where no mask has a pixel on its film."""
    images = test.films.images[shown].astype(np.float32)
    weights = fit.weights.astype(np.float32)[None]
    maps = detector_maps(model.network, images, layer, weights)[:, 0]
    return placed(maps, concept_masks(concept, test.films, test.cases, shown))
