"""Pictures with and without burned-in print, and the one label that each has: whether there is any.

A picture is a window of a phantom film of 1024 pixels, or a whole film reduced. The window is chosen before anything is
printed, and where the print lies is not kept. Pictures of both kinds get the same things that are no print: shutters,
cables, clips and wires, the marks of a codec.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from medcam.core.arrays import FloatArray
from medcam.core.card import InputRecipe
from medcam.core.errors import InvalidValueError
from medcam.models.preprocess import prepare_array
from medcam.models.training.films import Films, concatenate
from medcam.phantom import render, sample_case
from medcam.service.find_text import FINDING, LONGEST
from medcam.service.training.text_print import add_clutter, compressed, print_anything
from medcam.service.workers import one_blas_thread

TEXT = FINDING
PRINT = ("marker", "text")
"""Distractors of the phantom that are print themselves."""
FULL = LONGEST
"""Side of a film from which windows are cut: that at which print is looked for."""
INTENSITY = "full"
"""Intensity recipe: print is brighter or darker than the film, and must not be clipped to it."""
_WHOLE = 512
_CHUNK = 16
_ALIKE = 3
"""Windows that see the same clutter: print comes and goes, and it stays."""


@dataclass(frozen=True, slots=True)
class TextPictures:
    """Which pictures to make.

    Args:
        seed: Of the phantoms and of the print; pictures of different seeds share no patient.
        films: Phantoms of which windows are cut.
        wholes: Phantoms that are shown whole, with print and without.
        windows: Of a phantom; half of them get print.
        side: Of a picture in pixels.
    """

    seed: int
    films: int
    wholes: int
    windows: int = 6
    side: int = 384

    def __post_init__(self) -> None:
        if min(self.films, self.wholes) < 1 or self.windows < 2 or not 64 <= self.side <= _WHOLE:
            raise InvalidValueError("pictures need films, two windows of each, and a side of 64 to 512")


def text_pictures(
    plan: TextPictures, folder: Path, *, workers: int = 1, progress: Callable[[int, int], None] = lambda *_: None
) -> Films:
    """Makes pictures, chunk by chunk, and keeps the chunks: a killed run goes on where it was.

    Args:
        plan: Which.
        folder: Where chunks are kept; those of another plan (see its `plan.json`) are thrown away.
        workers: Processes that render.
        progress: Called with (phantoms done, phantoms in all).

    Returns:
        Films with one label each, without masks and without pairs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written, wanted = folder / "plan.json", json.dumps(asdict(plan), sort_keys=True)
    if not written.is_file() or written.read_text() != wanted:
        for stale in folder.glob("chunk-*"):
            shutil.rmtree(stale)
        written.write_text(wanted)
    count = plan.films + plan.wholes
    starts = range(0, count, _CHUNK)
    missing = [start for start in starts if not (_chunk(folder, start) / "films.json").is_file()]
    done = count - sum(min(_CHUNK, count - start) for start in missing)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=one_blas_thread) as pool:
        for start in pool.map(_make_chunk, [(plan, folder, start) for start in missing]):
            done += min(_CHUNK, count - start)
            progress(done, count)
    return concatenate([Films.load(_chunk(folder, start)) for start in starts])


def clean_phantom(seed: int, index: int, side: int) -> FloatArray:
    """A phantom film without any print: float32 [side, side], 0 to 1, denser is brighter."""
    case = sample_case(seed, index)
    case = replace(case, distractors=tuple(item for item in case.distractors if item.kind not in PRINT))
    return render(case, side, truth=False).linear


def _chunk(folder: Path, start: int) -> Path:
    return folder / f"chunk-{start:06d}"


def _make_chunk(job: tuple[TextPictures, Path, int]) -> int:
    plan, folder, start = job
    made = [
        (image, label, index)
        for index in range(start, min(start + _CHUNK, plan.films + plan.wholes))
        for image, label in (_windows(plan, index) if index < plan.films else _whole(plan, index))
    ]
    Films(
        names=(TEXT,),
        images=np.stack([image for image, _, _ in made]).astype(np.float16),
        labels=np.array([[label] for _, label, _ in made], dtype=np.int8),
        patients=np.array([plan.seed * 10_000_000 + index for _, _, index in made], dtype=np.int64),
        partners=np.full(len(made), -1, dtype=np.int64),
    ).save(_chunk(folder, start))
    return start


def _windows(plan: TextPictures, index: int) -> Iterator[tuple[FloatArray, bool]]:
    """Windows of one film; every other one gets print."""
    random = np.random.default_rng([plan.seed, index])
    clean = clean_phantom(plan.seed, index, FULL)
    recipe = InputRecipe(FULL, FULL, intensity=INTENSITY)
    for number in range(plan.windows):
        if number % _ALIKE == 0:
            cluttered = _darkened(clean, random)
            add_clutter(cluttered, random)
        film = cluttered.copy()
        top, left = (int(value) for value in random.integers(0, FULL - plan.side + 1, 2))
        window = (slice(top, top + plan.side), slice(left, left + plan.side))
        printed = number % 2 == 0 and print_anything(film[window], random)
        film[window] = compressed(film[window], random)
        yield prepare_array(film, recipe).values[0][window], printed


def _whole(plan: TextPictures, index: int) -> Iterator[tuple[FloatArray, bool]]:
    """A whole film with print, and one without."""
    random = np.random.default_rng([plan.seed, index])
    clean = clean_phantom(plan.seed, index, _WHOLE)
    recipe = InputRecipe(plan.side, plan.side, intensity=INTENSITY)
    for wanted in (True, False):
        film = _darkened(clean, random)
        add_clutter(film, random)
        printed = wanted and print_anything(film, random)
        yield prepare_array(compressed(film, random), recipe).values[0], printed


def _darkened(clean: FloatArray, random: np.random.Generator) -> FloatArray:
    """A copy, on half of the films with a narrower range than that of the print."""
    low, high = (random.uniform(0, 0.15), random.uniform(0.6, 1.0)) if random.random() < 0.5 else (0.0, 1.0)
    return np.asarray(low + (high - low) * clean, dtype=np.float32)
