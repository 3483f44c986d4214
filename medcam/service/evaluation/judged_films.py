"""Films whose maps are judged: one finding each, that is there, and on phantoms the same patient without it."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from medcam.cam.cells import CellCover
from medcam.core.arrays import BoolArray, FloatArray
from medcam.core.display import DisplayWindow
from medcam.core.errors import UsageError
from medcam.core.protocols import Classifier
from medcam.core.radiograph import Radiograph
from medcam.phantom import Case, render, sample_case
from medcam.service.evaluation.cohort import Cohort

PHANTOMS = "phantoms"
"""In the place of a folder: phantoms made for the purpose."""
PREVALENCE = 0.25
SEED = 7301
"""Of those phantoms; no training of the project draws from it."""
_SMALLEST = 64


@dataclass(frozen=True, eq=False)
class JudgedFilm:
    """One film and one finding that is there.

    Args:
        name: Of the film.
        patient: Films of one patient share it.
        finding: Place of the finding among the model's.
        radiograph: The film.
        inputs: float32 [channels, height, width], as the model takes it.
        healthy: The same patient without the finding, in the grey scale of `inputs`; None where nobody knows it.
        mask: bool [height, width] on the input: where the finding truly is; None where nobody knows it.
    """

    name: str
    patient: str
    finding: int
    radiograph: Radiograph = field(repr=False)
    inputs: FloatArray = field(repr=False)
    healthy: FloatArray | None = field(default=None, repr=False)
    mask: BoolArray | None = field(default=None, repr=False)


def judged_films(
    model: Classifier, data: str | Path, count: int, seed: int, skipped: MutableMapping[str, str] | None = None
) -> Iterator[JudgedFilm]:
    """Films for a model.

    Args:
        model: The model.
        data: A labelled folder, or `PHANTOMS`.
        count: Most films.
        seed: Of phantoms.
        skipped: Gets files that cannot be read, with the code of the reason.

    Raises:
        UsageError: The model shares no finding with the films (code `no-films-to-judge`), or the folder is no cohort.
    """
    found = 0
    made = _phantoms(model, count, seed) if str(data) == PHANTOMS else _labelled(model, Path(data), count, skipped)
    for film in made:
        found += 1
        yield film
    if not found:
        raise UsageError(
            f"no film has a finding that {model.card.name} knows",
            code="no-films-to-judge",
            next_step="Give a folder with labels.csv or truth.json whose findings the model has.",
        )


def _phantoms(model: Classifier, count: int, seed: int) -> Iterator[JudgedFilm]:
    names, used = model.card.finding_names, dict.fromkeys(model.card.finding_names, 0)
    size, done, index = max(_SMALLEST, model.card.input.height), 0, 0
    while done < count and index < 20 * count:
        case = sample_case(SEED + seed, index, prevalence=PREVALENCE)
        index += 1
        present = sorted((each.name for each in case.findings if each.name in used), key=used.__getitem__)
        film = _phantom(model, case, present[0], size) if present else None
        if film is not None:
            used[present[0]] += 1
            done += 1
            yield film
    assert len(names) == len(used)


def _phantom(model: Classifier, case: Case, name: str, size: int) -> JudgedFilm | None:
    drawn = render(case, size)
    truth = next((each for each in drawn.truths if each.name == name), None)
    if truth is None:
        return None
    called = f"phantom-{case.seed}-{case.index}"
    radiograph = _film(drawn.linear, called)
    prepared = model.prepare(radiograph)
    without = model.prepare(_film(render(case.without(name), size, truth=False).linear, called)).values
    shape = prepared.values.shape[1:]
    fractions = CellCover.of(prepared.transform, size, size).fractions(truth.mask)
    mask = fractions >= min(0.5, 0.5 * float(fractions.max()))
    outside = fractions == 0.0
    return JudgedFilm(
        name=called,
        patient=called,
        finding=model.card.finding_names.index(name),
        radiograph=radiograph,
        inputs=prepared.values,
        healthy=_same_grey(without, prepared.values, outside if outside.any() else np.ones(shape, dtype=np.bool_)),
        mask=mask,
    )


def _film(pixels: FloatArray, name: str) -> Radiograph:
    return Radiograph(pixels, DisplayWindow(center=0.5, width=1.0), sha256=name)


def _same_grey(values: FloatArray, like: FloatArray, outside: BoolArray) -> FloatArray:
    """Values in the grey scale of another input: recipes scale each film by its own range, which a finding shifts.

    The line is the least-squares fit outside the finding, where both films are one.
    """
    x, y = values[:, outside].ravel().astype(np.float64), like[:, outside].ravel().astype(np.float64)
    spread = float(((x - x.mean()) ** 2).sum())
    slope = float(((x - x.mean()) * (y - y.mean())).sum()) / spread if spread > 0.0 else 1.0
    return np.asarray(slope * (values - x.mean()) + y.mean(), dtype=np.float32)


def _labelled(
    model: Classifier, folder: Path, count: int, skipped: MutableMapping[str, str] | None
) -> Iterator[JudgedFilm]:
    used = dict.fromkeys(model.card.finding_names, 0)
    cohort, done = Cohort(folder), 0
    for film in cohort:
        present = sorted((name for name in used if film.labels.get(name) == 1), key=used.__getitem__)
        if not present:
            continue
        used[present[0]] += 1
        done += 1
        place = model.card.finding_names.index(present[0])
        yield JudgedFilm(film.name, film.patient, place, film.radiograph, model.prepare(film.radiograph).values.copy())
        if done == count:
            break
    if skipped is not None:
        skipped.update(cohort.skipped)
