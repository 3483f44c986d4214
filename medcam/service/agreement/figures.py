"""The figures of one finding in one phase: reader and model, reader and reader, all readers, over time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from medcam.evaluate.agreement import PairAgreement, krippendorff_alpha, pair_agreement
from medcam.evaluate.agreement_figure import Doubt, Figure, nothing
from medcam.evaluate.agreement_roc import RocAgreement, roc_agreement
from medcam.service.agreement.cases import Case
from medcam.service.agreement.judges import Judge, Judges
from medcam.service.agreement.periods import Unit, period_start
from medcam.service.agreement.places import Places, accepted_regions, overlap_of_readers, overlap_with_model

__all__ = [
    "Between",
    "Doubt",
    "Figure",
    "FindingSummary",
    "OverTime",
    "PairAgreement",
    "RocAgreement",
    "WithModel",
    "between_readers",
    "over_time",
    "summary",
    "with_model",
]


@dataclass(frozen=True, slots=True)
class FindingSummary:
    """One finding at a glance.

    Args:
        finding: Its name.
        model: All answers that are shown beside the model's calls, each counting once.
        readers: How many readers have answered about it.
        alpha: Krippendorff's alpha of all readers.
    """

    finding: str
    model: PairAgreement
    readers: int
    alpha: Figure


@dataclass(frozen=True, slots=True)
class WithModel:
    """A reader beside the model.

    Args:
        reader: Who.
        pair: The reader's answers (first) and the model's calls (second).
        confidence: The reader's confidence as a grade of the model's calls.
        probability: The model's probability as a grade of the reader's answers.
        overlap: Mean IoU of the regions that the reader marked and the model's.
        accepted: Share of the model's regions that the reader let stand.
    """

    reader: Judge
    pair: PairAgreement
    confidence: RocAgreement
    probability: RocAgreement
    overlap: Figure
    accepted: Figure


@dataclass(frozen=True, slots=True)
class Between:
    """Two readers beside each other.

    Args:
        first: One of them.
        second: The other.
        pair: Their answers.
        first_grades: Area under the curve of the first's confidence as a grade of the second's answers.
        second_grades: The same the other way round.
        overlap: Mean IoU of the regions that both marked.
    """

    first: Judge
    second: Judge
    pair: PairAgreement
    first_grades: Figure
    second_grades: Figure
    overlap: Figure


@dataclass(frozen=True, slots=True)
class OverTime:
    """One period.

    Args:
        start: Its first day (UTC).
        model: All answers of the period that are shown beside the model's calls.
        alpha: Krippendorff's alpha of all readers; a film stands in the period of its last answer.
    """

    start: date
    model: PairAgreement
    alpha: Figure


def summary(finding: str, cases: Sequence[Case], judges: Judges) -> FindingSummary:
    """One finding at a glance, of the cases that may be seen."""
    readers = len({case.reader for case in cases})
    return FindingSummary(finding, _beside(judges.beside_model(cases)), readers, _alpha(cases))


def with_model(cases: Sequence[Case], judges: Judges, places: Places) -> list[WithModel]:
    """Each reader beside the model, of the cases of one finding that may be seen."""
    found = []
    for reader, own in _by_reader(judges.beside_model(cases)).items():
        called = [case for case in own if case.called is not None]
        graded = [case for case in called if case.confidence is not None]
        decided = [case for case in called if case.present is not None]
        found.append(
            WithModel(
                reader=judges.known[reader],
                pair=_beside(own),
                confidence=roc_agreement(
                    [bool(case.called) for case in graded],
                    [case.confidence or 0.0 for case in graded],
                    _patients(graded),
                ),
                probability=roc_agreement(
                    [bool(case.present) for case in decided],
                    [case.probability or 0.0 for case in decided],
                    _patients(decided),
                ),
                overlap=overlap_with_model(own, places),
                accepted=accepted_regions(own),
            )
        )
    return sorted(found, key=lambda row: (not row.reader.mine, row.reader))


def between_readers(cases: Sequence[Case], judges: Judges) -> list[Between]:
    """Every two readers with films in common, of the cases of one finding that may be seen."""
    by_reader = {reader: {case.film: case for case in own} for reader, own in _by_reader(cases).items()}
    order = sorted(by_reader, key=lambda reader: (not judges.known[reader].mine, judges.known[reader]))
    found = []
    for first, second in combinations(order, 2):
        shared = by_reader[first].keys() & by_reader[second].keys()
        if not shared or not judges.may_pair(first, second):
            continue
        pairs = [(by_reader[first][film], by_reader[second][film]) for film in sorted(shared)]
        decided = [pair for pair in pairs if pair[0].present is not None and pair[1].present is not None]
        found.append(
            Between(
                first=judges.known[first],
                second=judges.known[second],
                pair=pair_agreement(
                    [bool(one.present) for one, _ in decided],
                    [bool(other.present) for _, other in decided],
                    _patients([one for one, _ in decided]),
                ),
                first_grades=_grades(pairs),
                second_grades=_grades([(other, one) for one, other in pairs]),
                overlap=overlap_of_readers(pairs),
            )
        )
    return found


def over_time(cases: Sequence[Case], judges: Judges, unit: Unit) -> list[OverTime]:
    """The periods in which somebody answered, of the cases of one finding that may be seen."""
    last: dict[str, float] = {}
    for case in cases:
        last[case.film] = max(case.created, last.get(case.film, case.created))
    beside: defaultdict[date, list[Case]] = defaultdict(list)
    among: defaultdict[date, list[Case]] = defaultdict(list)
    for case in judges.beside_model(cases):
        beside[period_start(case.created, unit)].append(case)
    for case in cases:
        among[period_start(last[case.film], unit)].append(case)
    starts = sorted({*beside, *among})
    return [OverTime(start, _beside(beside[start]), _alpha(among[start])) for start in starts]


def _beside(cases: Sequence[Case]) -> PairAgreement:
    """Answers beside the model's calls."""
    counted = [case for case in cases if case.present is not None and case.called is not None]
    return pair_agreement(
        [bool(case.present) for case in counted], [bool(case.called) for case in counted], _patients(counted)
    )


def _alpha(cases: Sequence[Case]) -> Figure:
    decided = [case for case in cases if case.present is not None]
    if not decided:
        return nothing()
    return krippendorff_alpha(
        [case.film for case in decided], [bool(case.present) for case in decided], _patients(decided)
    )


def _grades(pairs: Sequence[tuple[Case, Case]]) -> Figure:
    graded = [(one, other) for one, other in pairs if one.confidence is not None and other.present is not None]
    return roc_agreement(
        [bool(other.present) for _, other in graded],
        [one.confidence or 0.0 for one, _ in graded],
        _patients([one for one, _ in graded]),
    ).area


def _patients(cases: Sequence[Case]) -> list[str]:
    return [case.patient for case in cases]


def _by_reader(cases: Sequence[Case]) -> Mapping[int, list[Case]]:
    found: defaultdict[int, list[Case]] = defaultdict(list)
    for case in cases:
        found[case.reader].append(case)
    return found
