"""One's own films as a training set: what a layout lists, read at model size, with labels, patients and places."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from medcam.core.card import InputRecipe
from medcam.core.codes import slug
from medcam.core.errors import UsageError
from medcam.core.radiograph import Identity
from medcam.evaluate.formats.places import Place
from medcam.models.training.films import UNKNOWN, Films
from medcam.service.evaluation.true_places import Id, TruePlaces, key_of
from medcam.service.training.coarse_places import SIDE, coarse_mask
from medcam.service.training.layouts.listing import ListedFilm, Listing, judged
from medcam.service.training.read_films import LATERAL, FilmsRead, WantedFilm, patient_number, read_films
from medcam.service.training.uncertain import Unmentioned, filled

FEWEST = 5
"""Films with and without a finding that it takes to be learnt unless it is asked for by name."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a data set is read.

    Args:
        findings: Which; empty for all that enough films have and lack.
        unmentioned: What a finding counts as that a report does not mention.
        patient_pattern: A regular expression that finds the patient in a film's name: its first group, or all that it
            matches; empty to believe the layout or the file.
        places: Where findings are, in the place of what the layout says; None for what the layout says.
        with_places: Whether places are wanted at all.
        workers: Processes that read.
    """

    findings: tuple[str, ...] = ()
    unmentioned: Unmentioned = Unmentioned.ABSENT
    patient_pattern: str = ""
    places: TruePlaces | None = None
    with_places: bool = True
    workers: int = 1


@dataclass(frozen=True, eq=False, slots=True)
class OwnFilms:
    """A data set, read.

    Args:
        films: Those that could be read and are frontal, with uncertain labels still uncertain.
        left_out: How many are not among them, by the code of the reason.
        untold: How many have no patient by layout, pattern or file, and count as patients of their own.
        placed: How many findings have a place.
    """

    films: Films
    left_out: Mapping[str, int]
    untold: int
    placed: int


def own_films(
    listing: Listing,
    recipe: InputRecipe,
    reading: Reading,
    folder: Path,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> OwnFilms:
    """Reads the films of a listing.

    Args:
        listing: What the layout says.
        recipe: Of the model's input.
        reading: How.
        folder: Where films at model size are kept for another run.
        progress: Called with (films done, films in all).

    Raises:
        UsageError: A finding is not there (`training-table`), no film could be read (`empty-cohort`), or the pattern is
            no regular expression.
        OutputError: The folder cannot be written.
    """
    patients = _patients(listing.films, reading.patient_pattern)
    wanted = [
        WantedFilm(None if film.lateral else film.path, ask_patient=not patient)
        for film, patient in zip(listing.films, patients, strict=True)
    ]
    read = read_films(wanted, recipe, folder, workers=reading.workers, progress=progress)
    lateral = np.array([film.lateral for film in listing.films])
    codes = np.where(lateral, LATERAL, read.codes)
    kept = np.flatnonzero(codes == "")
    if not kept.size:
        raise UsageError(
            f"no film of the data can be used ({_counts(codes)})",
            code="empty-cohort",
            next_step="Check that the films lie where the table says.",
        )
    labels = np.array([judged(film.labels, listing.findings) for film in listing.films], dtype=np.int8)
    names, labels = _chosen(listing, filled(labels, reading.unmentioned) if listing.reports else labels, reading, kept)
    numbers, untold = _numbers(listing.films, patients, read, kept)
    masks = _masks(listing.films, names, read, kept, reading) if reading.with_places else None
    films = Films(
        names=names,
        images=read.images[kept],
        labels=labels[kept],
        patients=numbers,
        partners=np.full(len(kept), -1, dtype=np.int64),
        masks=masks,
    )
    placed = 0 if masks is None else int((masks.any(axis=(2, 3)) & (films.labels == 1)).sum())
    return OwnFilms(films, dict(Counter(code for code in codes.tolist() if code)), untold, placed)


def _patients(films: Sequence[ListedFilm], pattern: str) -> list[str]:
    """Patients by the pattern, else by the layout; empty where neither says."""
    if not pattern:
        return [film.patient for film in films]
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise UsageError(f"{pattern!r} is no regular expression ({error})") from error
    found = [compiled.search(film.name) for film in films]
    if not all(found):
        raise UsageError("the pattern finds no patient in the name of some films", next_step="Check --patient-pattern.")
    return [match[1] if match.lastindex else match[0] for match in found if match]


def _chosen(
    listing: Listing, labels: npt.NDArray[np.int8], reading: Reading, kept: npt.NDArray[np.int64]
) -> tuple[tuple[str, ...], npt.NDArray[np.int8]]:
    """Names of the findings to learn, and their columns."""
    if reading.findings:
        unheard = [name for name in reading.findings if name not in listing.findings]
        if unheard:
            raise UsageError(
                f"the data does not know {', '.join(unheard)}",
                code="training-table",
                next_step=f"It knows: {', '.join(listing.findings)}.",
            )
        names = reading.findings
    else:
        judgements = labels[kept]
        enough = np.minimum((judgements == 1).sum(axis=0), (judgements == 0).sum(axis=0)) >= FEWEST
        names = tuple(name for name, taken in zip(listing.findings, enough, strict=True) if taken)
        if not names:
            raise UsageError(
                f"no finding is present on {FEWEST} films and absent from as many",
                code="training-table",
                next_step="Give more films, or name findings with --finding.",
            )
    return names, labels[:, [listing.findings.index(name) for name in names]]


def _numbers(
    films: Sequence[ListedFilm], patients: Sequence[str], read: FilmsRead, kept: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], int]:
    numbers, untold = [], 0
    for place in kept.tolist():
        told = int(read.patients[place])
        if patients[place] or told >= 0:
            numbers.append(patient_number(patients[place]) if patients[place] else told)
        else:
            untold += 1
            numbers.append(patient_number(films[place].name))
    return np.array(numbers, dtype=np.int64), untold


def _masks(
    films: Sequence[ListedFilm], names: tuple[str, ...], read: FilmsRead, kept: npt.NDArray[np.int64], reading: Reading
) -> npt.NDArray[np.bool_] | None:
    """Places on the coarse grid; None where nothing has a place."""
    columns = {slug(name): column for column, name in enumerate(names)}
    masks: npt.NDArray[np.bool_] | None = None
    others = None if reading.places is None else _Others(reading.places)
    for row, index in enumerate(kept.tolist()):
        film = films[index]
        places, size = (film.places, film.size) if others is None else others.of(film.name, str(read.uids[index]))
        for finding, place in places.items():
            column = columns.get(slug(finding), UNKNOWN)
            if place.said and column >= 0:
                masks = np.zeros((len(kept), len(names), SIDE, SIDE), dtype=np.bool_) if masks is None else masks
                masks[row, column] = coarse_mask(place, size, read.grid(index))
    return masks


class _Others:
    """Places from elsewhere, found by a film's name or by the digest of its UID."""

    def __init__(self, places: TruePlaces) -> None:
        self._by = places.id
        by_uid = places.id is Id.SOP_INSTANCE_UID
        self._films = {Identity.folder_name(key) if by_uid else key: film for key, film in places.films.items()}

    def of(self, name: str, uid: str) -> tuple[Mapping[str, Place], tuple[int, int] | None]:
        """Places on a film, and height and width of the pixels in which they are given."""
        placed = self._films.get(uid if self._by is Id.SOP_INSTANCE_UID else key_of(name, self._by))
        if placed is None:
            return {}, None
        sides = (placed.height, placed.width)
        return placed.places, None if sides[0] is None or sides[1] is None else (sides[0], sides[1])


def _counts(codes: npt.NDArray[np.str_]) -> str:
    return ", ".join(
        f"{count} {code}" for code, count in sorted(Counter(code for code in codes.tolist() if code).items())
    )
