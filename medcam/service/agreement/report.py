"""Agreement of readers, from a store, as somebody may see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from medcam.core.errors import UsageError
from medcam.core.reader import Reader
from medcam.core.review import Phase
from medcam.evaluate.agreement_figure import FEWEST_GROUPS, SMALL_GROUPS
from medcam.service.agreement.cases import Case, Cases, LeftOut, by_finding, left_out, read_cases
from medcam.service.agreement.changes import Change, changes
from medcam.service.agreement.figures import (
    Between,
    FindingSummary,
    OverTime,
    WithModel,
    between_readers,
    over_time,
    summary,
    with_model,
)
from medcam.service.agreement.judges import Judge, Judges, judges
from medcam.service.agreement.periods import Unit, unit_of
from medcam.service.agreement.places import model_places
from medcam.service.studies.opened import OpenedStore
from medcam.store import AnswerStore

__all__ = [
    "FEWEST_GROUPS",
    "SMALL_GROUPS",
    "AgreementQuery",
    "AgreementReport",
    "FindingDetails",
    "agreement_report",
    "agreement_state",
    "finding_details",
]


@dataclass(frozen=True, slots=True)
class AgreementQuery:
    """What is asked.

    Args:
        card_sha256: Digest of the card of the model that readers are compared with.
        phase: Blind or aided.
        since: Answers from this time on, seconds since 1970 UTC.
    """

    card_sha256: str
    phase: Phase
    since: float = 0.0


@dataclass(frozen=True, slots=True)
class FindingDetails:
    """Everything about one finding.

    Args:
        finding: Its name.
        with_model: Each reader beside the model.
        between: Every two readers with films in common.
        unit: How long a period is.
        over_time: The periods, the earliest first.
        changes: What each reader changed when they were shown the model's call; of both phases.
    """

    finding: str
    with_model: tuple[WithModel, ...]
    between: tuple[Between, ...]
    unit: Unit
    over_time: tuple[OverTime, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class AgreementReport:
    """Agreement of readers, as somebody may see it.

    Args:
        readers: Who has answered.
        films: How many films have answers.
        patients: How many patients these belong to.
        answers: How many answers there are, the last of each reader to each finding of each film.
        left_out: How many answers do not count against the model, and why.
        findings: Each finding at a glance, by name.
        changes: What each reader changed when they were shown the model's calls, over all findings and of both phases.
        cases: What the figures come of, by finding: what may be seen, and nothing else.
        both: The same of both phases.
        judges: Who may be seen, and how.
    """

    readers: tuple[Judge, ...]
    films: int
    patients: int
    answers: int
    left_out: Mapping[LeftOut, int]
    findings: tuple[FindingSummary, ...]
    changes: tuple[Change, ...]
    cases: Mapping[str, Sequence[Case]] = field(repr=False)
    both: Sequence[Case] = field(repr=False)
    judges: Judges = field(repr=False)


def agreement_report(opened: OpenedStore, viewer: Reader, query: AgreementQuery) -> AgreementReport:
    """Agreement of readers, as one may see it: what others may not see is not in it.

    Args:
        opened: The store.
        viewer: Who looks.
        query: What is asked.

    Raises:
        StoreError: The database cannot be used.
    """
    # The readers after the answers: whoever answered is among them.
    read = read_cases(opened, query.card_sha256, query.since)
    seen_by = judges(viewer, opened.readers.all())
    both = seen_by.visible(read.cases)
    cases = [case for case in both if case.phase is query.phase]
    beside = seen_by.beside_model(cases)
    grouped = by_finding(cases)
    return AgreementReport(
        readers=tuple(sorted({seen_by.known[case.reader] for case in cases})),
        films=len({case.film for case in cases}),
        patients=len({case.patient for case in cases}),
        answers=len(cases),
        left_out=left_out(read, beside, _counted(read, seen_by), query.phase),
        findings=tuple(summary(finding, own, seen_by) for finding, own in grouped.items()),
        changes=tuple(changes(both, seen_by)),
        cases=grouped,
        both=both,
        judges=seen_by,
    )


def finding_details(opened: OpenedStore, report: AgreementReport, finding: str) -> FindingDetails:
    """Everything about one finding of a report.

    Args:
        opened: The store that the report is of: the model's regions are read from it.
        report: The report.
        finding: Name of the finding.

    Raises:
        UsageError: Nobody who may be seen has answered about it (code `no-such-finding`).
        StoreError: The database cannot be used.
    """
    cases, seen_by = report.cases.get(finding), report.judges
    if cases is None:
        known = ", ".join(report.cases)
        raise UsageError("there are no answers to this finding", code="no-such-finding", next_step=f"Ask: {known}.")
    unit = unit_of([case.created for case in cases])
    places = model_places(opened, seen_by.beside_model(cases))
    return FindingDetails(
        finding=finding,
        with_model=tuple(with_model(cases, seen_by, places)),
        between=tuple(between_readers(cases, seen_by)),
        unit=unit,
        over_time=tuple(over_time(cases, seen_by, unit)),
        changes=tuple(changes([case for case in report.both if case.finding == finding], seen_by)),
    )


def agreement_state(opened: OpenedStore) -> tuple[int, int]:
    """A mark of the store: while it stays, so does every report."""
    return AnswerStore(opened.store).state()


def _counted(read: Cases, seen_by: Judges) -> frozenset[int]:
    everyone = {case.reader for case in read.cases} | {reader for _, _, reader in read.dropped}
    return frozenset(one for one in everyone if seen_by.sees_all or one == seen_by.viewer)
