"""Looks at films one by one: evidence in places that are no anatomy, and logits with each place erased.

A place is erased in the model's input, after the film was prepared: so nothing but the place changes, not the scaling
by the film's own range. The rest of the film is as it was, to the bit.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from medcam.cam.cells import CellCover
from medcam.cam.exact import activation_maps
from medcam.cam.shares import positive_shares
from medcam.core.activation import ActivationMap
from medcam.core.arrays import BoolArray, FloatArray
from medcam.core.geometry import GridTransform
from medcam.core.protocols import Classifier
from medcam.evaluate.enrichment import place_figures
from medcam.evaluate.shortcuts.association import ScoredFilms, judge_associations
from medcam.evaluate.shortcuts.erasing import ErasedFilms, judge_erasing
from medcam.evaluate.shortcuts.fill import control_masks, fill_in
from medcam.evaluate.shortcuts.record import Place, PlaceEvidence, ShortcutRecord
from medcam.evaluate.shortcuts.rule import RULE, ShortcutRule
from medcam.service.evaluation.shortcut_films import ATTRIBUTES, DEVICES, ShortcutFilm
from medcam.service.explanations.software import software_versions

CONTROLS = 3
"""Controls per film and place."""
_BATCH = 16


@dataclass(frozen=True, eq=False)
class _Erased:
    """One place of one film: changes of all logits [findings], by erasing it and, in the mean, by its controls."""

    film: int
    place: Place
    change: npt.NDArray[np.float64]
    control: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Share:
    film: int
    finding: str
    place: Place
    share: float
    area: float


@dataclass(eq=False)
class Looked:
    """What was seen on films so far.

    Args:
        model: The model.
        controls: Controls per film and place.
    """

    model: Classifier
    controls: int = CONTROLS
    _logits: list[npt.NDArray[np.float64]] = field(default_factory=list, init=False)
    _about: list[tuple[str, Mapping[str, int], Mapping[str, str | float], bool]] = field(
        default_factory=list, init=False
    )
    _erased: list[_Erased] = field(default_factory=list, init=False)
    _shares: list[_Share] = field(default_factory=list, init=False)
    _roomless: set[tuple[int, Place]] = field(default_factory=set, init=False)

    @property
    def films(self) -> int:
        """How many so far."""
        return len(self._logits)

    def add(self, film: ShortcutFilm) -> None:
        """Looks at one film: one forward pass of it, and one per place and control."""
        prepared = self.model.prepare(film.radiograph)
        pictures, found = self._pictures(prepared.values, _on_input(film, prepared.transform), film.name)
        logits, maps = self._predicted(pictures, prepared.transform)
        number = len(self._logits)
        self._logits.append(logits[0])
        self._about.append((film.patient, dict(film.labels), dict(film.attributes), film.exact))
        start = 1
        for place, count in found:
            change = logits[start : start + count] - logits[0]
            self._erased.append(_Erased(number, place, change[0], change[1:].mean(axis=0)))
            start += count
        self._share(number, film, maps)

    def record(
        self,
        data: str,
        rule: ShortcutRule = RULE,
        *,
        notes: Mapping[str, int] | None = None,
        skipped: Mapping[str, str] | None = None,
    ) -> ShortcutRecord:
        """Figures and verdicts of all films so far."""
        card = self.model.card
        told = [f"{count} {words}" for words, count in (notes or {}).items()]
        if self._roomless:
            told.append(f"{len(self._roomless)} times a place of a film had no room for a control, and was not erased")
        return ShortcutRecord(
            model=card.name,
            weights_sha256=card.weights_sha256,
            data=data,
            films=self.films,
            patients=len({patient for patient, *_ in self._about}),
            exact=sum(exact for *_, exact in self._about),
            findings=card.finding_names,
            rule=rule,
            evidence=self._evidence(),
            erasing=judge_erasing(list(self._rows()), rule),
            associations=judge_associations(list(self._scored()), rule),
            notes=tuple(told),
            skipped=dict(skipped or {}),
            software=dict(software_versions()),
        )

    def _pictures(
        self, values: FloatArray, input_places: _InputPlaces, name: str
    ) -> tuple[list[FloatArray], list[tuple[Place, int]]]:
        """The input, then per place the input without it and without each of its controls; how many per place."""
        pictures, found = [values], []
        avoid = np.any([input_places.empty, *input_places.places.values()], axis=0)
        for place, mask in input_places.places.items():
            seed = zlib.crc32(f"{name} {place}".encode())
            # Findings that fill the film leave a control no room; better one that touches them than none.
            elsewhere = control_masks(mask, avoid | input_places.pathology, self.controls, seed) or control_masks(
                mask, avoid, self.controls, seed
            )
            if not elsewhere:
                self._roomless.add((len(self._logits), place))
                continue
            pictures += [erased(values, each) for each in (mask, *elsewhere)]
            found.append((place, 1 + len(elsewhere)))
        return pictures, found

    def _predicted(
        self, pictures: list[FloatArray], transform: GridTransform
    ) -> tuple[npt.NDArray[np.float64], tuple[ActivationMap, ...]]:
        """Logits [pictures, findings], and the maps of the first picture; none where the model makes none."""
        logits: list[npt.NDArray[np.float64]] = []
        maps: tuple[ActivationMap, ...] = ()
        for start in range(0, len(pictures), _BATCH):
            prediction = self.model.predict(np.stack(pictures[start : start + _BATCH]))
            logits.append(prediction.logits.astype(np.float64))
            if start == 0 and prediction.has_maps:
                maps = activation_maps(prediction, [transform] * len(prediction))[0]
        return np.concatenate(logits), maps

    def _share(self, number: int, film: ShortcutFilm, maps: tuple[ActivationMap, ...]) -> None:
        for finding, activation, logit in zip(self.model.card.findings, maps, self._logits[number], strict=False):
            called = 1.0 / (1.0 + np.exp(-logit)) >= finding.threshold
            if not film.places or not film.labels.get(finding.name, called) or activation.values.max() <= 0.0:
                continue
            shares = positive_shares(activation, {str(place): mask for place, mask in film.places.items()})
            for place, mask in film.places.items():
                self._shares.append(_Share(number, finding.name, place, shares[str(place)], float(mask.mean())))

    def _evidence(self) -> tuple[PlaceEvidence, ...]:
        rows = []
        for finding in self.model.card.finding_names:
            for place in Place:
                own = [each for each in self._shares if each.finding == finding and each.place is place]
                if not own or not _judged(finding, place):
                    continue
                patients = [self._about[each.film][0] for each in own]
                [figures] = place_figures([[e.share] for e in own], [[e.area] for e in own], patients)
                rows.append(
                    PlaceEvidence(
                        finding,
                        place,
                        len(own),
                        len(set(patients)),
                        figures.share,
                        figures.area,
                        figures.enrichment,
                    )
                )
        return tuple(rows)

    def _rows(self) -> Iterator[ErasedFilms]:
        if not self._erased:
            return
        logits, known = np.stack(self._logits), [labels for _, labels, _, _ in self._about]
        spreads = logits.std(axis=0, ddof=1) if len(logits) > 1 else np.zeros(logits.shape[1])
        for column, card in enumerate(self.model.card.findings):
            limit = float(np.log(card.threshold / (1.0 - card.threshold)))
            for place in Place:
                own = {each.film: each for each in self._erased if each.place is place}
                if not own or not _judged(card.name, place) or spreads[column] <= 0.0:
                    continue
                # A film whose place had no room for a control has it, and nothing is known of what it does there.
                films = [film for film in range(len(logits)) if (film, place) not in self._roomless]
                before = logits[films, column]
                change, control = np.array(
                    [(own[f].change[column], own[f].control[column]) if f in own else (0.0, 0.0) for f in films]
                ).T
                yield ErasedFilms(
                    finding=card.name,
                    place=place,
                    patients=[self._about[film][0] for film in films],
                    there=[film in own for film in films],
                    change=change,
                    control=control,
                    turned=(before >= limit) != (before + change >= limit),
                    called=before >= limit,
                    labels=[known[film].get(card.name, -1) for film in films],
                    spread=float(spreads[column]),
                )

    def _scored(self) -> Iterator[ScoredFilms]:
        for column, finding in enumerate(self.model.card.finding_names):
            known = [labels.get(finding, -1) for _, labels, _, _ in self._about]
            for attribute in ATTRIBUTES:
                yield ScoredFilms(
                    finding=finding,
                    attribute=attribute,
                    logits=[float(row[column]) for row in self._logits],
                    values=[attributes.get(attribute) for _, _, attributes, _ in self._about],
                    labels=known if max(known, default=-1) >= 0 else None,
                    patients=[patient for patient, *_ in self._about],
                )


def erased(values: FloatArray, mask: BoolArray) -> FloatArray:
    """An input float32 [channels, height, width] with a part filled in from what surrounds it; see `fill_in`."""
    return np.stack([fill_in(channel, mask) for channel in values])


def _judged(finding: str, place: Place) -> bool:
    """Devices are what a finding of that name is about, and no shortcut to it."""
    return place is not Place.DEVICE or finding.replace("_", " ") != DEVICES


@dataclass(frozen=True, eq=False)
class _InputPlaces:
    """On the grid of a model's input, bool [height, width] each: places, true findings, and where there is no film."""

    places: Mapping[Place, BoolArray]
    pathology: BoolArray
    empty: BoolArray


def _on_input(film: ShortcutFilm, transform: GridTransform) -> _InputPlaces:
    nothing = np.zeros((transform.height, transform.width), dtype=np.bool_)
    masks = [*film.places.values()] + ([] if film.pathology is None else [film.pathology])
    if not masks:
        return _InputPlaces({}, nothing, nothing)
    cover = CellCover.of(transform, *masks[0].shape)
    empty = cover.fractions(np.ones(masks[0].shape, dtype=np.bool_)) < 0.5
    found = {place: (cover.fractions(mask) >= 0.5) & ~empty for place, mask in film.places.items()}
    return _InputPlaces(
        {place: mask for place, mask in found.items() if mask.any()},
        nothing if film.pathology is None else cover.fractions(film.pathology) > 0.0,
        empty,
    )
