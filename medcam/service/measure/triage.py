"""How many planted causes of wrong answers `medcam evaluate errors` names rightly, on phantoms.

Label errors: true labels of unseen phantoms are turned at random, and the answers of a good model compared with them.
Shortcuts: a network learns from films on which a burned-in word betrays a finding. On unseen films the word stands on
every second film, whatever its findings. A wrong answer is the shortcut's where the same film, with the word taken away
or put on and nothing else changed, is answered rightly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path

import numpy as np
import torch

from medcam.core.card import Interval
from medcam.core.errors import UsageError
from medcam.core.protocols import Classifier
from medcam.evaluate.localisation import share_interval
from medcam.evaluate.triage import LABEL_IN_DOUBT, RULES, Cause, Mistake, TriageRules
from medcam.models.registry import load_model
from medcam.phantom import FINDINGS, sample_case
from medcam.service.evaluation.cohort import CohortFilm
from medcam.service.evaluation.errors import FilmError, film_errors
from medcam.service.measure.planted import PREVALENCE, ShortcutPlan, phantom_film, shortcut_model, with_word

LABELS_SEED, WORDS_SEED = 8181, 9191
"""Phantom seeds of the films that are measured on; the thresholds of the rules were chosen on others."""


class Planted(StrEnum):
    """What was done to bring about a wrong answer."""

    LEFT_OUT = "label error: finding left out"
    ADDED = "label error: finding added"
    WORD = "shortcut: the word is on the film"
    NO_WORD = "shortcut: the word is missing"
    OWN_POSITIVE = "nothing planted: false positive"
    OWN_NEGATIVE = "nothing planted: false negative"


RIGHT: Mapping[Planted, frozenset[Cause]] = {
    Planted.LEFT_OUT: LABEL_IN_DOUBT,
    Planted.ADDED: LABEL_IN_DOUBT,
    Planted.WORD: frozenset((Cause.MARK,)),
}
"""Reasons that name a planted cause rightly. Of a word that is missing no map can tell; nothing names it."""


@dataclass(frozen=True, slots=True)
class TriagePlan:
    """How much is measured.

    Args:
        shortcut: The network with the shortcut.
        model: The good model whose answers meet turned labels.
        label_films: Phantoms with turned labels.
        word_films: Phantoms with the word on every second one.
        size: Side of the former in pixels; the latter have twice the side of the network's input.
        left_out: Share of the findings present that their labels leave out.
        added: Share of the findings absent that their labels add.
        seed: Chooses other films to measure on.
    """

    shortcut: ShortcutPlan = field(default_factory=ShortcutPlan)
    model: str = "phantom"
    label_films: int = 150
    word_films: int = 240
    size: int = 320
    left_out: float = 0.25
    added: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.label_films, self.word_films) < 1 or self.size < 64:
            raise UsageError("triage is measured on films of at least 64 pixels")


@dataclass(frozen=True, slots=True)
class PlantedCause:
    """One row of the confusion table.

    Args:
        n: Wrong answers with this cause.
        named: How many of them got each reason; reasons without any are left out.
        right: Share named rightly, with its interval by Wilson; None where no reason is right, or no case.
        marks: Share called evidence on marker or text.
        doubts: Share whose label was called in doubt.
    """

    n: int
    named: Mapping[str, int]
    right: Interval | None
    marks: Interval | None
    doubts: Interval | None


@dataclass(frozen=True, slots=True)
class TriageFigures:
    """How well planted causes are named.

    Args:
        plan: What was asked for.
        rules: Thresholds of the reasons.
        labels: Rows of the films with turned labels.
        words: Rows of the films with the word, for the finding that it betrays.
        others: Rows of the same films, for the findings that it does not betray.
        turned: Labels turned: left out and added.
        called_with_word: Share of films without the finding that the network calls present, the word on them.
        called_without_word: The same of the very same films without the word.
        right: Share named rightly over all planted causes that have a right name.
    """

    plan: TriagePlan
    rules: TriageRules
    labels: Mapping[str, PlantedCause]
    words: Mapping[str, PlantedCause]
    others: Mapping[str, PlantedCause]
    turned: tuple[int, int]
    called_with_word: Interval | None
    called_without_word: Interval | None
    right: Interval | None

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return asdict(self)


Named = list[tuple[Planted, Cause]]


def measure_triage(
    plan: TriagePlan,
    work: Path,
    *,
    workers: int = 1,
    threads: int = 1,
    rules: TriageRules = RULES,
    report: Callable[[str], None] = lambda _: None,
) -> TriageFigures:
    """Plants causes of wrong answers, and counts which are named rightly.

    Args:
        plan: How much.
        work: Where the network with the shortcut and its films are kept; what an earlier call left there is taken.
        workers: Processes that render the network's films.
        threads: CPU threads.
        rules: Thresholds of the reasons.
        report: Called with what has been done.

    Raises:
        ModelError: The good model does not exist or has no ledger.
    """
    torch.set_num_threads(max(threads, 1))
    network = shortcut_model(plan.shortcut, work, workers=workers, threads=threads)
    report(f"network that learnt the shortcut to {plan.shortcut.finding}")
    labels, turned = _label_errors(plan, load_model(plan.model), rules)
    report(f"{plan.label_films} films with turned labels")
    words, others, called = _shortcuts(plan, network, rules)
    report(f"{plan.word_films} films with a word on every second")
    planted = [pair for pair in (*labels, *words) if pair[0] in RIGHT]
    return TriageFigures(
        plan=plan,
        rules=rules,
        labels=_rows(labels),
        words=_rows(words),
        others=_rows(others),
        turned=turned,
        called_with_word=_share([with_it for with_it, _ in called]),
        called_without_word=_share([without for _, without in called]),
        right=_share([cause in RIGHT[what] for what, cause in planted]),
    )


def _label_errors(plan: TriagePlan, model: Classifier, rules: TriageRules) -> tuple[Named, tuple[int, int]]:
    turned: dict[tuple[str, str], Planted] = {}

    def films() -> Iterator[CohortFilm]:
        for index in range(plan.label_films):
            case = sample_case(LABELS_SEED + plan.seed, index, prevalence=PREVALENCE)
            film, labels = phantom_film(case, plan.size), {}
            draws = np.random.default_rng([case.seed, index, 17]).random(len(FINDINGS))
            for name, draw in zip(FINDINGS, draws, strict=True):
                truth = film.labels[name]
                turn = draw < (plan.left_out if truth else plan.added)
                labels[name] = 1 - truth if turn else truth
                if turn:
                    turned[film.name, name] = Planted.LEFT_OUT if truth else Planted.ADDED
            yield replace(film, labels=labels)

    named = [
        (turned.get((error.film, error.finding), _own(error)), error.cause)
        for error in film_errors(films(), model, rules=rules)
    ]
    counts = [sum(each is kind for each in turned.values()) for kind in (Planted.LEFT_OUT, Planted.ADDED)]
    return named, (counts[0], counts[1])


def _own(error: FilmError) -> Planted:
    return Planted.OWN_POSITIVE if error.mistake is Mistake.FALSE_POSITIVE else Planted.OWN_NEGATIVE


def _shortcuts(
    plan: TriagePlan, network: Classifier, rules: TriageRules
) -> tuple[Named, Named, list[tuple[bool, bool]]]:
    """Reasons for the finding that the word betrays, for the others, and how its films without it are called."""
    finding, size = plan.shortcut.finding, 2 * plan.shortcut.size
    place = network.card.finding_names.index(finding)
    words: Named = []
    others: Named = []
    called: list[tuple[bool, bool]] = []
    for index in range(plan.word_films):
        case = sample_case(WORDS_SEED + plan.seed, index, prevalence=PREVALENCE)
        plain = phantom_film(case, size)
        written = with_word(plain, case)
        film, other = (written, plain) if index % 2 else (plain, written)
        present, otherwise = (_calls(network, each, place) for each in (film, other))
        if not plain.labels[finding]:
            called.append((present, otherwise) if film is written else (otherwise, present))
        for error in film_errors([film], network, rules=rules):
            if error.finding != finding:
                others.append((_own(error), error.cause))
            else:
                words.append((_betrayed(error, film is written, present != otherwise), error.cause))
    return words, others, called


def _betrayed(error: FilmError, written: bool, turns: bool) -> Planted:
    """The shortcut's doing, where the answer turns with the word and in the word's sense; the network's own else."""
    own = _own(error)
    if not turns or written != (own is Planted.OWN_POSITIVE):
        return own
    return Planted.WORD if written else Planted.NO_WORD


def _calls(network: Classifier, film: CohortFilm, place: int) -> bool:
    probability = network.predict(network.prepare(film.radiograph).values[None]).probabilities[0, place]
    return bool(probability >= network.card.findings[place].threshold)


def _rows(named: Named) -> dict[str, PlantedCause]:
    rows = {}
    for kind in Planted:
        causes = [cause for planted, cause in named if planted is kind]
        if not causes:
            continue
        rows[kind.value] = PlantedCause(
            n=len(causes),
            named={cause.value: causes.count(cause) for cause in Cause if cause in causes},
            right=_share([cause in RIGHT[kind] for cause in causes]) if kind in RIGHT else None,
            marks=_share([cause is Cause.MARK for cause in causes]),
            doubts=_share([cause in LABEL_IN_DOUBT for cause in causes]),
        )
    return rows


def _share(hits: list[bool]) -> Interval | None:
    return share_interval(hits) if hits else None
