"""Films of a folder with what is needed to judge shortcuts: places, labels, attributes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from medcam.anatomy import MIN_QUALITY, find_zones
from medcam.core.arrays import BoolArray
from medcam.core.errors import InputError
from medcam.core.radiograph import Radiograph, View
from medcam.core.zones import OUTSIDE
from medcam.dicom import read_context
from medcam.dicom.deidentify import FindText
from medcam.evaluate.shortcuts.record import Place
from medcam.service.evaluation.cohort import Cohort, CohortFilm
from medcam.service.evaluation.shortcut_places import (
    border,
    boxes_on_raster,
    disjoint,
    on_raster,
    raster_shape,
    widened,
)
from medcam.service.phantoms.truth import TRUTH_NAME, FilmTruth, read_truth
from medcam.service.training.film_file import DICOM_SUFFIXES

VIEW, SEX, AGE, MAKER, BURNED = "view", "sex", "age", "manufacturer", "burned-in annotation"
ATTRIBUTES = (VIEW, SEX, AGE, MAKER, BURNED)
DEVICES = "Support Devices"
LARGEST_BOX = 0.03
"""Share of a film: larger boxes of distractors, such as those of electrodes with their leads, are mostly lung."""


@dataclass(frozen=True, eq=False)
class ShortcutFilm:
    """One film.

    Args:
        name: What results call it.
        patient: Films of one patient share it.
        radiograph: The film.
        places: bool [rows, columns] over the whole film, disjoint, all of one shape.
        labels: 1 or 0 per finding that somebody judged.
        attributes: By `ATTRIBUTES`: texts, and years for the age; those that the film does not say are missing.
        pathology: bool, of the places' shape: where findings truly are; controls keep clear of them. None if unknown.
        exact: Whether the places are exact by construction.
    """

    name: str
    patient: str
    radiograph: Radiograph
    places: Mapping[Place, BoolArray] = field(repr=False)
    labels: Mapping[str, int] = field(default_factory=dict)
    attributes: Mapping[str, str | float] = field(default_factory=dict)
    pathology: BoolArray | None = field(default=None, repr=False)
    exact: bool = False


@dataclass(eq=False)
class FolderFilms:
    """The films of a folder, read one at a time.

    Args:
        folder: See `Cohort`; `truth.json` brings exact places.
        table: A table of labels in the place of the folder's own; its columns `view`, `sex`, `age`, `manufacturer` and
            `burned-in annotation` count as attributes.
        rename: What the model calls a finding of the table.
        find_text: What it finds counts as print, beside what `find_burned_in` finds.

    Attributes:
        skipped: Files passed over in the latest reading, with the code of the reason.
        notes: What was not to be found on films of the latest reading.

    Raises:
        UsageError: As `Cohort`.
    """

    folder: Path
    table: Path | None = None
    rename: Mapping[str, str] = field(default_factory=dict)
    find_text: FindText | None = None
    skipped: dict[str, str] = field(default_factory=dict, init=False)
    notes: dict[str, int] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._cohort = Cohort(self.folder, self.table)
        self._truth = read_truth(self.folder) if (Path(self.folder) / TRUTH_NAME).is_file() else {}

    def __len__(self) -> int:
        return len(self._cohort)

    def __iter__(self) -> Iterator[ShortcutFilm]:
        self.skipped, self.notes = {}, {}
        for place in range(len(self._cohort)):
            try:
                film = self._cohort.film(place)
            except InputError as error:
                self.skipped[self._cohort.name(place)] = error.code
                continue
            yield self._with_places(film, place)

    def _with_places(self, film: CohortFilm, number: int) -> ShortcutFilm:
        radiograph = film.radiograph
        truth = self._truth.get(radiograph.identity.sop_instance_uid)
        shape = raster_shape(radiograph.height, radiograph.width)
        masks, pathology = self._found(film, shape) if truth is None else _true(truth, radiograph, shape, self._note)
        masks[Place.BORDER] = border(radiograph.pixels, radiograph.padding, shape)
        outside = self._outside(film)
        if outside is not None:
            masks[Place.OUTSIDE] = on_raster(outside, shape)
        labels = {self.rename.get(name, name): value for name, value in film.labels.items()}
        return ShortcutFilm(
            name=film.name,
            patient=film.patient,
            radiograph=radiograph,
            places=disjoint(masks),
            labels=labels,
            attributes=_attributes(radiograph, self._cohort.row(number), self._cohort.path(number)),
            pathology=pathology,
            exact=truth is not None and film.zones is not None,
        )

    def _found(self, film: CohortFilm, shape: tuple[int, int]) -> tuple[dict[Place, BoolArray], None]:
        self._note("films without truth: print and markers were looked for by detectors, devices were not looked for")
        return {Place.PRINT: on_raster(film.mark_mask(self.find_text), shape)}, None

    def _outside(self, film: CohortFilm) -> BoolArray | None:
        zones = film.zones or find_zones(film.radiograph)
        if zones.quality < MIN_QUALITY:
            self._note("films whose body could not be told from its surroundings well enough")
            return None
        return zones.masks[OUTSIDE]

    def _note(self, words: str) -> None:
        self.notes[words] = self.notes.get(words, 0) + 1


def _true(
    truth: FilmTruth, film: Radiograph, shape: tuple[int, int], note: Callable[[str], None]
) -> tuple[dict[Place, BoolArray], BoolArray | None]:
    """Places and findings by a truth."""
    size = (film.height, film.width)
    masks: dict[Place, BoolArray] = {}
    for place, kind in ((Place.MARKER, "marker"), (Place.TEXT, "text")):
        boxes = [each.box for each in truth.distractors if each.kind == kind]
        masks[place] = widened(boxes_on_raster(boxes, *size, shape))
    things = [each.box for each in truth.distractors if each.kind not in ("marker", "text")]
    small = [box for box in things if box.area <= LARGEST_BOX * film.height * film.width]
    if len(small) < len(things):
        note("films with electrodes whose leads are known by their box alone, which is left out")
    found = {each.name: each.mask() for each in truth.findings}
    outlined = {name: on_raster(mask, shape) for name, mask in found.items() if mask is not None}
    devices = boxes_on_raster(small, *size, shape)
    if DEVICES in outlined:
        devices |= outlined[DEVICES]
    masks[Place.DEVICE] = widened(devices, 0.5 * 0.02)
    return masks, np.any(list(outlined.values()), axis=0) if outlined else None


def _attributes(film: Radiograph, row: Mapping[str, str], path: Path) -> dict[str, str | float]:
    said = {name.strip().lower().replace("_", " "): value.strip() for name, value in row.items() if value}
    texts = {name: said.get(name, "") for name in ATTRIBUTES}
    texts[BURNED] = texts[BURNED] or said.get("burned in annotation", "")
    texts[VIEW] = texts[VIEW] or ("" if film.view is View.UNKNOWN else film.view.value)
    texts[MAKER] = texts[MAKER] or film.attributes.get("manufacturer", "")
    if path.suffix.lower() in DICOM_SUFFIXES:
        header = read_context(path).attributes()
        for name, keyword in ((SEX, "PatientSex"), (AGE, "PatientAge"), (BURNED, "BurnedInAnnotation")):
            texts[name] = texts[name] or str(header.get(keyword, ""))
    found: dict[str, str | float] = {name: text for name, text in texts.items() if text and name != AGE}
    years = _years(texts[AGE])
    return found if years is None else {**found, AGE: years}


def _years(text: str) -> float | None:
    """Years of an age: a number, or DICOM's Age String such as 064Y or 018M."""
    units = {"Y": 1.0, "M": 1.0 / 12.0, "W": 7.0 / 365.25, "D": 1.0 / 365.25}
    number, unit = (text[:-1], units[text[-1:]]) if text[-1:] in units else (text, 1.0)
    try:
        years = float(number) * unit
    except ValueError:
        return None
    return years if 0.0 <= years < 130.0 else None
