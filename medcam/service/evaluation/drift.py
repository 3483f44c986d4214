"""Drift between two periods, each from what a results folder or a store holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from medcam.core.errors import UsageError
from medcam.core.explanation import RESEARCH_USE
from medcam.core.zones import ZONES
from medcam.evaluate.drift import FEWEST, LEVEL, Drift, DriftKind, PeriodFilms, compare_periods
from medcam.evaluate.two_samples import MOST_VECTORS
from medcam.service.evaluation.observed import Observed
from medcam.service.evaluation.observed_film import AGE, ObservedFilm

SCHEMA_VERSION = "1.0"
RULE = (
    f"All tests of a comparison are one family under Holm's correction at {LEVEL:g}: if both periods were draws from "
    f"one population, any alarm at all would come in at most {100 * LEVEL:.0f} % of comparisons. A patient counts once "
    f"per period, with the first film. Nothing is tested on fewer than {FEWEST} films."
)


@dataclass(frozen=True, eq=False)
class DriftRecord:
    """What was found.

    Args:
        model: Name, version and digest of the weights.
        before: Name, films and days of the earlier period.
        after: The same of the later one.
        drift: The tests.
    """

    model: Mapping[str, str]
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    drift: Drift

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        tests = [{**asdict(test), "drifted": test.drifted} for test in self.drift.tests]
        return {
            "schema_version": SCHEMA_VERSION,
            "notice": RESEARCH_USE,
            "rule": RULE,
            "model": dict(self.model),
            "before": dict(self.before),
            "after": dict(self.after),
            "drifted": {str(kind): self.drift.drifted(kind) for kind in DriftKind},
            "tests": tests,
            "untested": dict(self.drift.untested),
        }


def measure_drift(before: Observed, after: Observed, *, seed: int = 0) -> DriftRecord:
    """Compares two periods.

    Args:
        before: The earlier one.
        after: The later one, by the same model.
        seed: Of the permutations.

    Raises:
        UsageError: The two are by different models (code `other-model`).
    """
    if before.model != after.model or before.method != after.method:
        raise UsageError(
            "the two periods are by different models or methods",
            code="other-model",
            next_step="Annotate both with one model: a change of the model is no drift of the films.",
        )
    model = before.model
    drift = compare_periods(period_films(before.films), period_films(after.films), seed=seed)
    return DriftRecord(
        model={"name": model.name, "version": model.version, "weights_sha256": model.weights_sha256},
        before=_about(before),
        after=_about(after),
        drift=drift,
    )


def period_films(films: tuple[ObservedFilm, ...]) -> PeriodFilms:
    """What the tests need of a period: one film per patient, the first by day."""
    first: dict[str, ObservedFilm] = {}
    for film in sorted(films, key=lambda one: (str(one.day or ""), one.uid)):
        first.setdefault(film.patient, film)
    kept = list(first.values())
    names = list(dict.fromkeys(name for film in kept for name in film.findings))
    attributes = sorted({name for film in kept for name in film.attributes})
    return PeriodFilms(
        attributes={name: [film.attributes.get(name, "") for film in kept] for name in attributes},
        numbers={AGE: np.array([np.nan if film.age is None else film.age for film in kept])},
        strangeness=np.array([np.nan if film.strangeness is None else film.strangeness for film in kept]),
        logits={
            name: np.array([film.findings[name].logit for film in kept if name in film.findings]) for name in names
        },
        shares={name: _shares(kept, name) for name in names},
        zones=tuple(ZONES),
        features=_features(kept),
    )


def _features(films: list[ObservedFilm]) -> np.ndarray[Any, np.dtype[np.float64]] | None:
    """Of as many films as the test takes, drawn at random: they are read one by one, and no others are held."""
    drawn = np.random.default_rng(0).permutation(len(films))[:MOST_VECTORS]
    found = [films[place].explanation().features for place in sorted(drawn)]
    rows = [row for row in found if row is not None]
    if not rows or len({row.shape for row in rows}) > 1:
        return None
    return np.stack(rows).astype(np.float64)


def _shares(films: list[ObservedFilm], name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    found = []
    for film in films:
        said = film.findings.get(name)
        if said is not None and said.shares is not None and said.probability >= said.threshold:
            found.append([said.shares.get(zone, 0.0) for zone in ZONES])
    return np.array(found, dtype=np.float64).reshape(len(found), len(ZONES))


def _about(observed: Observed) -> dict[str, Any]:
    days = sorted(film.day.isoformat() for film in observed.films if film.day)
    return {
        "name": observed.label,
        "kind": observed.kind,
        "films": len(observed.films),
        "patients": len({film.patient for film in observed.films}),
        "first_day": days[0] if days else None,
        "last_day": days[-1] if days else None,
    }
