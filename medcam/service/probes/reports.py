"""Films and their reports: which of them a phrase makes positive, and which negative."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from medcam.core.errors import UsageError
from medcam.service.probes.films import NamedFilm
from medcam.service.probes.negation import Phrase, Said, said_of

ROUNDS = 2
"""Rounds of hard negatives where negatives are drawn at random (Zhou et al. 2015, section 4.2)."""

_NEXT = 'Write one JSON object per line: {"image": "film.dcm", "report": "Findings: ...", "patient_id": "7"}.'


@dataclass(frozen=True, slots=True)
class ReportedFilm:
    """A film and its report."""

    film: NamedFilm
    report: str


@dataclass(frozen=True, slots=True)
class Sorted:
    """Films by what their reports say of a phrase.

    Args:
        positives: The report affirms it.
        negatives: It negates it, or says nothing of it.
        counts: Reports by what they say; those in doubt are on neither side.
    """

    positives: tuple[NamedFilm, ...]
    negatives: tuple[NamedFilm, ...]
    counts: Mapping[Said, int]


def read_reports(path: Path | str) -> list[ReportedFilm]:
    """Reads a JSON Lines file with the texts `image` (relative to it), `report` and, if known, `patient_id`.

    Raises:
        UsageError: There is no such file (`no-such-source`), or a line is something else (`reports`).
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UsageError(f"{path} cannot be read", code="no-such-source", next_step=_NEXT) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path.name} is no UTF-8 text", code="reports", next_step=_NEXT) from error
    films = [_film(line, number, path) for number, line in enumerate(lines, start=1) if line.strip()]
    if not films:
        raise UsageError(f"{path.name} holds no reports", code="reports", next_step=_NEXT)
    return films


def _film(line: str, number: int, path: Path) -> ReportedFilm:
    try:
        row = json.loads(line)
        image, report, patient = row["image"], row["report"], row.get("patient_id", "")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(f"line {number} of {path.name} is no report", code="reports", next_step=_NEXT) from error
    if not (isinstance(image, str) and image and isinstance(report, str) and isinstance(patient, str | int)):
        raise UsageError(f"line {number} of {path.name} is no report", code="reports", next_step=_NEXT)
    return ReportedFilm(NamedFilm(path.parent / image, image, str(patient)), report)


def sort_by_phrase(films: Sequence[ReportedFilm], phrase: Phrase) -> Sorted:
    """Puts films on the positive or the negative side by what their reports say.

    Args:
        films: With reports.
        phrase: Such as "blunted costophrenic angle".
    """
    said = [said_of(phrase, film.report) for film in films]
    return Sorted(
        positives=tuple(one.film for one, word in zip(films, said, strict=True) if word is Said.AFFIRMED),
        negatives=tuple(
            one.film for one, word in zip(films, said, strict=True) if word in (Said.NEGATED, Said.NOTHING)
        ),
        counts=Counter(said),
    )
