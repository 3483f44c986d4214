"""Films of a data set at the size of a model's input: read once, in chunks that a killed run finds again.

What is kept holds no name, path or attribute of a film: pixels at model size, where they lie in the source, a number
per patient, and a digest of the UID.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field, fields
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt

from medcam.core.card import InputRecipe
from medcam.core.errors import InputError
from medcam.core.geometry import GridTransform
from medcam.core.radiograph import Identity, View
from medcam.models.preprocess import prepare
from medcam.service.output_errors import writing
from medcam.service.training.film_file import load_film, patient_of
from medcam.service.workers import one_blas_thread

CHUNK = 128
FORMAT = 1
"""Of the chunks: those of another one are made anew."""
LATERAL, MISSING = "lateral-view", "no-such-file"
"""Why a film is left out, beside the codes of errors."""
_PLAN = "plan.json"
_GRID = ("source_height", "source_width", "height", "width", "scale_y", "scale_x", "offset_y", "offset_x")


@dataclass(frozen=True, slots=True)
class WantedFilm:
    """A film to be read.

    Args:
        path: Where it lies; None where nobody knows.
        ask_patient: Whether the file is to be asked whose it is.
    """

    path: Path | None
    ask_patient: bool = False


@dataclass(frozen=True, eq=False)
class FilmsRead:
    """Films at model size, in the order in which they were asked for.

    Args:
        images: float16 [n, height, width]; 0 for a film that was left out.
        codes: Why a film was left out; empty for one that was read.
        patients: int64 [n], a number of the patient by the file; -1 where it does not say or was not asked.
        grids: float64 [n, 8], fields of the film's `GridTransform`.
        uids: `Identity.folder_name` of each film's SOP Instance UID; empty for a picture.
    """

    images: npt.NDArray[np.float16] = field(repr=False)
    codes: npt.NDArray[np.str_] = field(repr=False)
    patients: npt.NDArray[np.int64] = field(repr=False)
    grids: npt.NDArray[np.float64] = field(repr=False)
    uids: npt.NDArray[np.str_] = field(repr=False)

    def grid(self, index: int) -> GridTransform:
        """From pixels of a film's file to its image."""
        sides, rest = self.grids[index, :4], self.grids[index, 4:]
        return GridTransform(*(int(side) for side in sides), *(float(value) for value in rest))


def read_films(
    films: Sequence[WantedFilm],
    recipe: InputRecipe,
    folder: Path,
    *,
    workers: int = 1,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> FilmsRead:
    """Reads films, or takes them from the folder where an earlier call left them.

    Args:
        films: Which.
        recipe: Of the model's input.
        folder: Where they are kept; those of other films, or by another recipe, are thrown away.
        workers: Processes that read; 1 reads in this one.
        progress: Called with (films done, films in all).

    Raises:
        OutputError: The folder cannot be written.
    """
    with writing():
        folder.mkdir(parents=True, exist_ok=True)
        wanted = _plan(films, recipe)
        plan = folder / _PLAN
        if not plan.is_file() or plan.read_text() != wanted:
            for stale in folder.glob("chunk-*"):
                shutil.rmtree(stale) if stale.is_dir() else stale.unlink()
            plan.write_text(wanted)
        jobs = [
            _Job(tuple(films[start : start + CHUNK]), recipe, _chunk(folder, start))
            for start in range(0, len(films), CHUNK)
        ]
        missing = [job for job in jobs if not job.target.is_file()]
        done = len(films) - sum(len(job.films) for job in missing)
        for count in _made(missing, workers):
            done += count
            progress(done, len(films))
    parts = [np.load(job.target) for job in jobs]
    return FilmsRead(**{each.name: np.concatenate([part[each.name] for part in parts]) for each in fields(FilmsRead)})


def patient_number(text: str) -> int:
    """The number by which a patient is told from others; the same in every run."""
    return zlib.crc32(text.encode())


@dataclass(frozen=True, slots=True)
class _Job:
    films: tuple[WantedFilm, ...]
    recipe: InputRecipe
    target: Path


def _made(jobs: Sequence[_Job], workers: int) -> Iterator[int]:
    if workers < 2 or len(jobs) < 2:
        yield from map(_make, jobs)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=one_blas_thread) as pool:
        yield from pool.map(_make, jobs)


def _make(job: _Job) -> int:
    count = len(job.films)
    images = np.zeros((count, job.recipe.height, job.recipe.width), dtype=np.float16)
    codes, patients = np.zeros(count, dtype="U40"), np.full(count, -1, dtype=np.int64)
    grids, uids = np.ones((count, len(_GRID))), np.zeros(count, dtype="U16")
    for place, film in enumerate(job.films):
        try:
            images[place], patients[place], grids[place], uids[place] = _read(film, job.recipe)
        except InputError as error:
            codes[place] = error.code
    part = job.target.with_name(f".{job.target.stem}.{os.getpid()}.part.npz")
    np.savez(part, images=images, codes=codes, patients=patients, grids=grids, uids=uids)
    part.replace(job.target)
    return count


def _read(film: WantedFilm, recipe: InputRecipe) -> tuple[npt.NDArray[np.float32], int, npt.NDArray[np.float64], str]:
    if film.path is None or not film.path.is_file():
        raise InputError("there is no such film", code=MISSING)
    radiograph = load_film(film.path)
    if radiograph.view is View.LATERAL:
        raise InputError("a lateral view", code=LATERAL)
    made = prepare(radiograph, recipe)
    asked = patient_of(film.path) if film.ask_patient else ""
    grid = np.array([getattr(made.transform, name) for name in _GRID], dtype=np.float64)
    uid = radiograph.identity.sop_instance_uid
    return made.values[0], patient_number(asked) if asked else -1, grid, Identity.folder_name(uid) if uid else ""


def _plan(films: Sequence[WantedFilm], recipe: InputRecipe) -> str:
    """What decides the chunks: the recipe, and a digest of files with their sizes and times."""
    digest = hashlib.sha256()
    for film in films:
        told = film.path.stat() if film.path is not None and film.path.is_file() else None
        size = (told.st_size, told.st_mtime_ns) if told else ()
        digest.update(f"{film.path}\x1f{film.ask_patient}\x1f{size}\n".encode("utf-8", "surrogateescape"))
    about = {"format": FORMAT, "recipe": asdict(recipe), "films": len(films), "sha256": digest.hexdigest()}
    return json.dumps(about, sort_keys=True)


def _chunk(folder: Path, start: int) -> Path:
    return folder / f"chunk-{start:07d}.npz"
