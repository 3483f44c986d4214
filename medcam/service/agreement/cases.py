"""From answers to cases: what a reader says of a finding, and what the model says of it.

The last answer of a reader to a finding of a film counts, once for each phase. A blind answer says outright whether the
finding is present. An aided one says it by way of the model's call: agreed to, disagreed with, right finding but wrong
region (present), missed (present). Blind and aided answers never meet in one figure.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from medcam.core.review import Answer, MarkedRegion, Phase
from medcam.service.studies.opened import OpenedStore
from medcam.store import AnswerStore, GivenAnswer, SaidFinding


class LeftOut(StrEnum):
    """Why an answer does not count, or not against the model."""

    CHANGED = "changed"
    """The reader answered again later."""
    UNCERTAIN = "uncertain"
    """The reader was not sure whether the finding is there."""
    WITHHELD = "withheld"
    """The film is out of distribution: the model made no call."""
    SILENT = "silent"
    """The model said nothing of this finding of this film."""
    OTHER_MODEL = "other-model"
    """The answer is about what another model said."""


@dataclass(frozen=True, slots=True)
class Case:
    """What one reader says of one finding of one film, and what the model says of it.

    Args:
        reader: Number of the reader.
        film: Id of the film.
        patient: What tells patients apart.
        finding: Its name.
        phase: Blind or aided.
        answer: What the reader says.
        present: Whether the reader says that it is there; None where that does not follow from the answer.
        confidence: 0 to 100; None where it was not asked for.
        region: What the reader marked.
        created: Seconds since 1970 UTC.
        explanation: Id of what the model said; None where it said nothing.
        called: Whether the model calls it present; None where it makes no call.
        probability: The model's; None where it said nothing.
    """

    reader: int
    film: str
    patient: str = field(repr=False)
    finding: str
    phase: Phase
    answer: Answer
    present: bool | None
    confidence: float | None
    region: MarkedRegion | None
    created: float
    explanation: str | None
    called: bool | None
    probability: float | None


@dataclass(frozen=True, slots=True)
class Cases:
    """All cases of one model and period.

    Args:
        cases: Of both phases, in order of their answers.
        dropped: How many answers are none, by phase and reason: changed later, or about another model.
    """

    cases: tuple[Case, ...]
    dropped: Mapping[tuple[Phase, LeftOut, int], int]


def says_present(answer: Answer, called: bool | None) -> bool | None:
    """Whether a reader says that a finding is there.

    Args:
        answer: What the reader answered.
        called: Whether the model that was shown called it present; None where it made no call, or was not shown.

    Returns:
        None where it does not follow: the reader is uncertain, or agrees to or disagrees with no call.
    """
    if answer in (Answer.PRESENT, Answer.WRONG_REGION, Answer.MISSED):
        return True
    if answer is Answer.ABSENT:
        return False
    if answer is Answer.UNCERTAIN or called is None:
        return None
    return called if answer is Answer.AGREE else not called


def read_cases(opened: OpenedStore, card_sha256: str, since: float = 0.0) -> Cases:
    """The cases of a store.

    Args:
        opened: The store.
        card_sha256: Digest of the model's card. Aided answers about another model are left out; a blind answer is set
            beside the newest that this model said of the film.
        since: Answers from this time on, seconds since 1970 UTC.

    Raises:
        StoreError: The database cannot be used.
    """
    answers = AnswerStore(opened.store)
    # In this order: an answer that is read has its explanation read after it.
    given = list(answers.answers(since))
    return cases_of(given, answers.said(card_sha256))


def cases_of(given: Iterable[GivenAnswer], said: Iterable[SaidFinding]) -> Cases:
    """The cases of answers and of what one model said, both the oldest first."""
    by_explanation: dict[tuple[str, str], SaidFinding] = {}
    newest: dict[tuple[str, str], SaidFinding] = {}
    for one in said:
        by_explanation[one.explanation, one.finding] = newest[one.film, one.finding] = one
    last: dict[tuple[int, str, str, Phase], Case] = {}
    dropped: Counter[tuple[Phase, LeftOut, int]] = Counter()
    for answer in given:
        if answer.explanation is None:
            word = newest.get((answer.film, answer.finding))
        else:
            word = by_explanation.get((answer.explanation, answer.finding))
            if word is None:
                dropped[answer.phase, LeftOut.OTHER_MODEL, answer.reader] += 1
                continue
        key = (answer.reader, answer.film, answer.finding, answer.phase)
        if key in last:
            dropped[answer.phase, LeftOut.CHANGED, answer.reader] += 1
        last[key] = _case(answer, word)
    return Cases(tuple(last.values()), dict(dropped))


def _case(answer: GivenAnswer, word: SaidFinding | None) -> Case:
    called = None if word is None else word.present
    return Case(
        reader=answer.reader,
        film=answer.film,
        patient=answer.patient,
        finding=answer.finding,
        phase=answer.phase,
        answer=answer.answer,
        present=says_present(answer.answer, called),
        confidence=answer.confidence,
        region=answer.region,
        created=answer.created,
        explanation=None if word is None else word.explanation,
        called=called,
        probability=None if word is None else word.probability,
    )


def left_out(cases: Cases, seen: Iterable[Case], readers: frozenset[int], phase: Phase) -> dict[LeftOut, int]:
    """How many answers do not count against the model, by reason; each answer has one reason.

    Args:
        cases: All of them.
        seen: Those of the readers that are counted, in the phase.
        readers: Who is counted.
        phase: Blind or aided.
    """
    counts: Counter[LeftOut] = Counter()
    for (of_phase, reason, reader), count in cases.dropped.items():
        if of_phase is phase and reader in readers:
            counts[reason] += count
    for case in seen:
        if case.answer is Answer.UNCERTAIN:
            counts[LeftOut.UNCERTAIN] += 1
        elif case.explanation is None:
            counts[LeftOut.SILENT] += 1
        elif case.called is None:
            counts[LeftOut.WITHHELD] += 1
    return {reason: counts[reason] for reason in LeftOut if counts[reason]}


def by_finding(cases: Iterable[Case]) -> dict[str, list[Case]]:
    """Cases by their finding, by name."""
    found: defaultdict[str, list[Case]] = defaultdict(list)
    for case in cases:
        found[case.finding].append(case)
    return dict(sorted(found.items()))
