"""How often the tests of drift alarm where nothing drifted, and how often they see what was planted, on phantoms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

from medcam.core.arrays import FloatArray
from medcam.core.card import Interval
from medcam.core.errors import UsageError
from medcam.core.finding import ZonesSource
from medcam.core.radiograph import Identity, Radiograph, View
from medcam.core.zones import Zones
from medcam.evaluate.drift import FEATURES, LEVEL, STRANGENESS, Drift, DriftKind, DriftTest, compare_periods
from medcam.evaluate.localisation import share_interval
from medcam.models.registry import load_model
from medcam.phantom import Phantom, render, sample_case
from medcam.service.evaluation.drift import period_films
from medcam.service.evaluation.observed_film import SEX, ObservedFilm, observed_film
from medcam.service.explain import explain_batch
from medcam.service.film_source import radiograph_from_array
from medcam.service.measure.planted import word_on

POOL_SEED = 8181
"""No film of the project is made of it but these."""
BATCH = 4
SHARES = (0.25, 0.5, 1.0)

BLUR, NOISE, WORD = "blurred films", "noisy films", "a burned-in word"
OLDER, ILLER = "older patients", "more films with a finding"
_WHAT = {
    BLUR: "Gaussian blur of 0.4 % of the film's side, as of a worse focal spot",
    NOISE: "white noise of 4 % of the grey scale, as of a lower dose",
    WORD: "the word ICU in a lower corner",
    OLDER: "patients older than the median alone",
    ILLER: "films with at least one finding alone",
}


@dataclass(frozen=True, slots=True)
class DriftPlan:
    """How it is measured.

    Args:
        films: Phantoms of the pool.
        changed: Of how many of them there are changed copies, of each kind.
        period: Films per period.
        rounds: Comparisons per row.
        size: Side of the films in pixels.
        model: Name of the model.
        seed: Of the films and the draws.
    """

    films: int = 400
    changed: int = 150
    period: int = 100
    rounds: int = 400
    size: int = 384
    model: str = "phantom"
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.changed <= self.films or not 0 < 2 * self.period <= self.films:
            raise UsageError("a pool holds two periods and all changed films")


@dataclass(frozen=True, eq=False)
class DriftFigures:
    """What was found.

    Args:
        plan: How it was measured.
        still: Alarms where nothing drifted, by kind of test.
        planted: Rows of what was planted.
    """

    plan: DriftPlan
    still: dict[str, dict[str, Any]]
    planted: list[dict[str, Any]]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class _Pool:
    films: list[ObservedFilm]
    ill: list[bool]
    changed: dict[str, list[ObservedFilm]] = field(default_factory=dict)


def measure_drift_tests(plan: DriftPlan, *, report: Callable[[str], None] = lambda _: None) -> DriftFigures:
    """Explains a pool of phantoms and changed copies of some, then draws periods.

    Args:
        plan: How.
        report: Called with what has been done.
    """
    pool = _explained(plan, report)
    rng = np.random.default_rng([plan.seed, 1])
    still = _still(pool, plan, rng)
    report(f"{plan.rounds} comparisons without drift")
    planted = []
    for name in (BLUR, NOISE, WORD, OLDER, ILLER):
        planted += [_row(pool, plan, name, share, rng) for share in SHARES]
        report(f"{name}: {plan.rounds} comparisons per share")
    return DriftFigures(plan, still, planted)


def _explained(plan: DriftPlan, report: Callable[[str], None]) -> _Pool:
    model = load_model(plan.model)
    phantoms = (render(sample_case(POOL_SEED + plan.seed, number), plan.size) for number in range(plan.films))
    films: list[ObservedFilm] = []
    ill: list[bool] = []
    changed: dict[str, list[ObservedFilm]] = {BLUR: [], NOISE: [], WORD: []}
    while batch := list(islice(phantoms, BATCH)):
        wanted: list[tuple[str, int, Phantom, FloatArray]] = []
        for number, phantom in enumerate(batch, start=len(films)):
            wanted.append(("", number, phantom, phantom.linear))
            ill.append(bool(phantom.truths))
            if number < plan.changed:
                wanted += [(kind, number, phantom, _change(kind, phantom, plan, number)) for kind in changed]
        radiographs = [_radiograph(phantom, pixels, number) for _, number, phantom, pixels in wanted]
        for start in range(0, len(wanted), BATCH):
            part = slice(start, start + BATCH)
            zones = [
                Zones.from_anatomy(phantom.zones, source=ZonesSource.PHANTOM, quality=1.0)
                for _, _, phantom, _ in wanted[part]
            ]
            made = explain_batch(radiographs[part], model, zones=zones, allow_out_of_distribution=True)
            for (kind, number, phantom, _), explanation in zip(wanted[part], made, strict=True):
                film = observed_film(
                    explanation,
                    f"{kind}{number}",
                    str(number),
                    source=bytes,
                    patient=str(number),
                    attributes={SEX: phantom.sex},
                    age=float(phantom.age_years),
                )
                (changed[kind] if kind else films).append(film)
        if len(films) % 40 < BATCH:
            report(f"{len(films)} of {plan.films} phantoms")
    return _Pool(films, ill, changed)


def _change(kind: str, phantom: Phantom, plan: DriftPlan, number: int) -> FloatArray:
    """A film as another scanner or room would have it."""
    film = np.asarray(phantom.linear, dtype=np.float32)
    if kind == BLUR:
        return np.asarray(gaussian_filter(film, 0.004 * plan.size), dtype=np.float32)
    if kind == NOISE:
        rng = np.random.default_rng([plan.seed, number, 2])
        return (film + 0.04 * rng.standard_normal(film.shape)).astype(np.float32)
    return word_on(film, sample_case(POOL_SEED + plan.seed, number))[0]


def _radiograph(phantom: Phantom, pixels: FloatArray, number: int) -> Radiograph:
    film = radiograph_from_array(pixels)
    return Radiograph(
        film.pixels,
        film.window,
        view=View(phantom.view),
        identity=Identity(sop_instance_uid=f"2.25.{number + 1}", study_instance_uid=f"2.25.1{number:06d}"),
        sha256=film.sha256,
    )


def _still(pool: _Pool, plan: DriftPlan, rng: np.random.Generator) -> dict[str, dict[str, Any]]:
    inputs = {f"{DriftKind.INPUT}: {what}": what for what in (FEATURES, STRANGENESS)}
    alarms: dict[str, list[bool]] = {name: [] for name in ("any", "uncorrected", *map(str, DriftKind), *inputs)}
    counts: dict[str, list[int]] = {name: [] for name in alarms}
    for number in range(plan.rounds):
        drawn = rng.permutation(plan.films)[: 2 * plan.period]
        first, second = ([pool.films[place] for place in part] for part in np.split(drawn, 2))
        found = _compared(first, second, number)
        alarms["any"].append(found.drifted())
        alarms["uncorrected"].append(any(test.test.p < LEVEL for test in found.tests))
        for name in ("any", "uncorrected"):
            counts[name].append(len(found.tests))
        for kind in DriftKind:
            alarms[str(kind)].append(found.drifted(kind))
            counts[str(kind)].append(sum(test.kind is kind for test in found.tests))
        for name, what in inputs.items():
            alarms[name].append(_tells(found, what))
            counts[name].append(sum(_is_input(test, what) for test in found.tests))
    return {
        name: {"alarms": asdict(share_interval(alarms[name])), "tests": float(np.mean(counts[name]))} for name in alarms
    }


def _row(pool: _Pool, plan: DriftPlan, name: str, share: float, rng: np.random.Generator) -> dict[str, Any]:
    found = [_compared(*_periods(pool, plan, name, share, rng), number) for number in range(plan.rounds // 4 or 1)]
    seen: Interval = share_interval([one.drifted() for one in found])
    return {
        "planted": name,
        "what": _WHAT[name],
        "share": share,
        "rounds": len(found),
        "seen": asdict(seen),
        "by_kind": {str(kind): float(np.mean([one.drifted(kind) for one in found])) for kind in DriftKind},
        "by_input": {what: float(np.mean([_tells(one, what) for one in found])) for what in (FEATURES, STRANGENESS)},
    }


def _is_input(test: DriftTest, what: str) -> bool:
    return test.kind is DriftKind.INPUT and test.what == what


def _tells(found: Drift, what: str) -> bool:
    """Whether one of the two tests of the films alarms, corrected with all others."""
    return any(test.drifted for test in found.tests if _is_input(test, what))


def _periods(
    pool: _Pool, plan: DriftPlan, name: str, share: float, rng: np.random.Generator
) -> tuple[list[ObservedFilm], list[ObservedFilm]]:
    """An earlier period of the pool, and a later one of which a share is changed or chosen; no patient is in both."""
    count = round(share * plan.period)
    if name in pool.changed:
        altered = list(rng.permutation(plan.changed)[:count])
        special = [pool.changed[name][place] for place in altered]
    else:
        altered = list(rng.permutation(_chosen(pool, name))[:count])
        special = [pool.films[place] for place in altered]
    taken = {int(place) for place in altered}
    rest = [int(place) for place in rng.permutation(plan.films) if int(place) not in taken]
    later = [pool.films[place] for place in rest[: plan.period - len(special)]]
    earlier = [pool.films[place] for place in rest[plan.period - len(special) :][: plan.period]]
    return earlier, [*special, *later]


def _chosen(pool: _Pool, name: str) -> list[int]:
    ages = [film.age or 0.0 for film in pool.films]
    middle = float(np.median(ages))
    return [place for place, age in enumerate(ages) if (age > middle if name == OLDER else pool.ill[place])]


def _compared(before: Sequence[ObservedFilm], after: Sequence[ObservedFilm], number: int) -> Drift:
    return compare_periods(period_films(tuple(before)), period_films(tuple(after)), seed=number)
