"""How well a model, ours or anybody's, places findings: truth and what is shown brought together, film by film."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from medcam.core.codes import slug
from medcam.core.errors import InputError, InvalidValueError, UsageError
from medcam.evaluate.formats.errors import PlacesError
from medcam.evaluate.formats.places import Place, PlacedFilm
from medcam.evaluate.heat import Shown
from medcam.evaluate.place_figures import SIZES, PlaceFigures, place_figures
from medcam.evaluate.place_scores import OTSU, OWN, PAPER, Cut, PlaceScore, iou_by_fraction, score_place
from medcam.evaluate.tuning import Tuned, choose_fraction, for_tuning
from medcam.service.evaluation.shown_places import FilmShown, ShownFilms
from medcam.service.evaluation.true_places import TruePlaces

TUNED = "tuned"
RULES: Mapping[str, Cut] = {cut.name: cut for cut in (PAPER, OWN, OTSU)}
ASPECT = 0.02
"""Largest difference of the sides' ratio between truth and film, as a share."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How it is measured.

    Args:
        rule: How maps become regions: "tuned", "paper", "model", "otsu", or a share of the highest value such as "0.5".
        tune_share: Share of the patients that a tuned rule is chosen on; they are not measured.
        split_seed: Another seed parts them otherwise.
        sizes: Shares of the film that part small, medium and large findings.
        silent: Whether a finding that the model calls absent shows nothing.

    Raises:
        UsageError: The rule or the sizes are none of these.
    """

    rule: str = TUNED
    tune_share: float = 0.3
    split_seed: int = 0
    sizes: tuple[float, float] = SIZES
    silent: bool = False

    def __post_init__(self) -> None:
        if self.rule != TUNED:
            self.cut()
        for_tuning("", self.tune_share, self.split_seed)
        if not 0.0 < self.sizes[0] < self.sizes[1] < 1.0:
            raise UsageError("sizes are two shares of the film, the smaller first, such as 0.01,0.05")

    def cut(self) -> Cut:
        """The rule, where it is not chosen."""
        if self.rule in RULES:
            return RULES[self.rule]
        try:
            fraction = float(self.rule)
        except ValueError:
            fraction = math.nan
        if not 0.0 <= fraction < 1.0:
            raise UsageError(
                f"there is no rule {self.rule!r}",
                next_step=f"Rules: {TUNED}, {', '.join(RULES)}, or a share of the highest value such as 0.5.",
            )
        return Cut(self.rule, fraction)


@dataclass(frozen=True, eq=False)
class Localisation:
    """What was found.

    Args:
        plan: How it was measured.
        truth: Format, digest, identifier, films, patients, and films of which it does not say whose they are.
        shown: What made the places.
        tuning_films: Films of patients that rules were chosen on.
        measured_films: Films that the figures are of.
        rules: By finding.
        findings: By finding.
        not_shown: Findings of the truth of which nothing is shown on any film.
        unmatched: Films without truth, and films of the truth that are missing.
        skipped: Films that could not be used, with the code of the reason.
        scores: By finding, film by film.
    """

    plan: Plan
    truth: Mapping[str, object]
    shown: Mapping[str, str]
    tuning_films: int
    measured_films: int
    rules: Mapping[str, Tuned]
    findings: Mapping[str, PlaceFigures]
    not_shown: tuple[str, ...]
    unmatched: Mapping[str, int]
    skipped: Mapping[str, str]
    scores: Mapping[str, tuple[PlaceScore, ...]] = field(repr=False)


def evaluate_localisation(
    truth: TruePlaces, shown: ShownFilms, plan: Plan, *, progress: Callable[[int, int], None] = lambda *_: None
) -> Localisation:
    """Measures how well what is shown agrees with where findings truly are.

    Args:
        truth: Where they are.
        shown: What a model shows.
        plan: How it is measured.
        progress: Called with (films done, films in all).

    Raises:
        UsageError: No film of the truth is among those shown, or no finding (code `nothing-to-localise`).
    """
    return _Work(truth, shown, plan, progress).run()


@dataclass(eq=False)
class _Work:
    truth: TruePlaces
    shown: ShownFilms
    plan: Plan
    progress: Callable[[int, int], None]
    skipped: dict[str, str] = field(default_factory=dict)
    seen: dict[str, bool] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    stray: int = 0
    done: int = 0

    def run(self) -> Localisation:
        films = self._matched()
        rules = self._rules(films)
        scores: dict[str, list[PlaceScore]] = {}
        for key, one in films.items():
            if not self._tunes(key):
                self._score(key, one, rules, scores)
        missing = [key for key in self.truth.films if key not in films]
        if self.shown.whole:
            for key in missing:
                if not self._tunes(key):
                    self._score(key, None, rules, scores)
        judged = dict.fromkeys(name for film in self.truth.films.values() for name in film.places)
        wanted = {name: tuple(scores[name]) for name in judged if name in scores and slug(name) in self.known}
        if not any(score.true for own in wanted.values() for score in own):
            raise _nothing(self.truth)
        return self._told(films, rules, wanted, tuple(name for name in judged if slug(name) not in self.known), missing)

    def _told(
        self,
        films: Mapping[str, FilmShown],
        rules: Mapping[str, Tuned],
        scores: Mapping[str, tuple[PlaceScore, ...]],
        not_shown: tuple[str, ...],
        missing: list[str],
    ) -> Localisation:
        patients = {self.truth.patient(key) for key in self.truth.films}
        measured = {score.film for own in scores.values() for score in own}
        return Localisation(
            plan=self.plan,
            truth={
                "format": self.truth.format,
                "sha256": self.truth.sha256,
                "id": self.truth.id.value,
                "films": len(self.truth.films),
                "patients": len(patients),
                "films_without_patient": sum(not film.patient for film in self.truth.films.values()),
            },
            shown=self.shown.about(),
            tuning_films=sum(self._tunes(key) for key in films),
            measured_films=len(measured),
            rules={name: rules[name] for name in scores},
            findings={name: place_figures(own, sizes=self.plan.sizes) for name, own in scores.items()},
            not_shown=not_shown,
            unmatched={"films without truth": self.stray, "films of the truth that are missing": len(missing)},
            skipped=self.skipped,
            scores=scores,
        )

    def _matched(self) -> dict[str, FilmShown]:
        found: dict[str, FilmShown] = {}
        for film in self.shown:
            try:
                key = film.key(self.truth.id)
            except InputError as error:
                self.skipped[film.name] = error.code
                continue
            if key not in self.truth.films:
                self.stray += bool(key)
            elif key in found:
                self.skipped[film.name] = "duplicate-uid"
            else:
                found[key] = film
        if not found:
            raise _nothing(self.truth)
        return found

    def _tunes(self, key: str) -> bool:
        chosen = self.plan.rule == TUNED
        return chosen and for_tuning(self.truth.patient(key), self.plan.tune_share, self.plan.split_seed)

    def _rules(self, films: Mapping[str, FilmShown]) -> dict[str, Tuned]:
        """The rule of each finding of the truth, chosen on the films of patients that are set apart."""
        names = dict.fromkeys(name for film in self.truth.films.values() for name in film.places)
        if self.plan.rule != TUNED:
            return dict.fromkeys(names, Tuned(self.plan.cut(), chosen=False))
        curves: dict[str, list[npt.NDArray[np.float64]]] = {name: [] for name in names}
        patients: dict[str, list[str]] = {name: [] for name in names}
        for key, one in films.items():
            if self._tunes(key):
                for name, curve in self._curves(key, one):
                    curves[name].append(curve)
                    patients[name].append(self.truth.patient(key))
        return {name: choose_fraction(own, patients[name]) for name, own in curves.items()}

    def _curves(self, key: str, one: FilmShown) -> Iterator[tuple[str, npt.NDArray[np.float64]]]:
        for name, place, shown, size in self._pairs(key, one):
            true = place.mask(*size)
            if true.any() and shown is not None and shown.heat is not None:
                yield name, iou_by_fraction(shown.heat.over(*size), true)

    def _score(
        self, key: str, one: FilmShown | None, rules: Mapping[str, Tuned], scores: dict[str, list[PlaceScore]]
    ) -> None:
        patient, film = self.truth.patient(key), self.truth.films[key].image
        for name, place, shown, size in self._pairs(key, one):
            score = score_place(film, patient, place, shown, size, rules[name].cut, silent=self.plan.silent)
            scores.setdefault(name, []).append(score)

    def _pairs(self, key: str, one: FilmShown | None) -> Iterator[tuple[str, Place, Shown | None, tuple[int, int]]]:
        """Truth and what is shown of each judged finding of a film. A film that cannot be used is noted instead."""
        film = self.truth.films[key]
        self.done += 1
        self.progress(self.done, len(self.truth.films))
        try:
            shown = {} if one is None else {slug(name): own for name, own in one.shown().items()}
            self.known |= shown.keys()
            size = _size(film, shown)
            wanted = {name: place for name, place in film.places.items() if slug(name) in shown or self.shown.whole}
            for place in wanted.values():
                place.mask(*size)
        except (InputError, InvalidValueError) as error:
            self.skipped[one.name if one is not None else film.image] = error.code
            return
        for name, place in wanted.items():
            yield name, place, shown.get(slug(name)), size


def _size(film: PlacedFilm, shown: Mapping[str, Shown]) -> tuple[int, int]:
    """The size of the masks: that of the truth where it says one, so that figures do not hang on the film's copy."""
    own = next(((one.height, one.width) for one in shown.values() if one.height and one.width), None)
    if film.height is not None and film.width is not None:
        if own is not None and abs(own[0] * film.width / (own[1] * film.height) - 1.0) > ASPECT:
            raise PlacesError("truth and film differ in the ratio of their sides", code="size-mismatch")
        return film.height, film.width
    if own is None or own[0] is None or own[1] is None:
        raise PlacesError("neither truth nor film says how large the film is")
    return own[0], own[1]


def _nothing(truth: TruePlaces) -> UsageError:
    return UsageError(
        f"no film and finding of the truth ({len(truth.films)} films by {truth.id.value}) is among those shown",
        code="nothing-to-localise",
        next_step="Choose how films are found with --id, and say with --rename what the model calls a finding.",
    )
