"""Phantoms rendered once, at the training resolution, into films with labels, matched pairs and truth masks."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt

from medcam.core.card import InputRecipe
from medcam.core.errors import InvalidValueError
from medcam.models.preprocess import prepare_array
from medcam.models.training.films import Films, concatenate
from medcam.phantom import FINDINGS, Case, Phantom, render, sample_case
from medcam.service.workers import one_blas_thread

GRADES = {"subtle": 1, "moderate": 2, "plain": 3}
CHUNK = 128


@dataclass(frozen=True, slots=True)
class PhantomFilms:
    """Which phantoms to render.

    Args:
        seed: The phantoms' seed; films of different seeds share no patient.
        count: How many patients.
        size: Side of the model's input in pixels.
        render_sizes: Sides at which films are rendered before they are reduced, as real films would be; patients take
            turns.
        prevalence: Of each finding; None keeps the phantom's own mixture.
        pairs: Whether each patient with a finding also comes without one of them.
        mask_size: Side of the truth masks kept for measuring; 0 keeps none.
    """

    seed: int
    count: int
    size: int = 256
    render_sizes: tuple[int, ...] = (384, 512)
    prevalence: float | None = None
    pairs: bool = True
    mask_size: int = 128

    def __post_init__(self) -> None:
        if self.count < 1 or not self.render_sizes:
            raise InvalidValueError("films need at least one patient and one size to render at")
        if self.mask_size and any(size % self.mask_size for size in self.render_sizes):
            raise InvalidValueError(
                "rendered sizes must be multiples of the masks' size, or the masks would be shifted"
            )


def phantom_films(
    plan: PhantomFilms, folder: Path, *, workers: int = 2, progress: Callable[[int, int], None] = lambda *_: None
) -> Films:
    """Renders phantoms into films, chunk by chunk, and keeps the chunks: a killed run goes on where it was.

    Args:
        plan: Which phantoms.
        folder: Where chunks are kept; those of another plan (see its `plan.json`) are thrown away.
        workers: Processes that render.
        progress: Called with (patients done, patients in all).

    Returns:
        All films of the plan.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = folder / "plan.json"
    wanted = json.dumps(asdict(plan), sort_keys=True)
    if not written.is_file() or written.read_text() != wanted:
        for stale in folder.glob("chunk-*"):
            shutil.rmtree(stale)
        written.write_text(wanted)
    starts = range(0, plan.count, CHUNK)
    missing = [start for start in starts if not (_chunk(folder, start) / "films.json").is_file()]
    done = plan.count - sum(min(CHUNK, plan.count - start) for start in missing)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=one_blas_thread) as pool:
        for start in pool.map(_render_chunk, [(plan, folder, start) for start in missing]):
            done += min(CHUNK, plan.count - start)
            progress(done, plan.count)
    return concatenate([Films.load(_chunk(folder, start)) for start in starts])


def _chunk(folder: Path, start: int) -> Path:
    return folder / f"chunk-{start:06d}"


def _render_chunk(job: tuple[PhantomFilms, Path, int]) -> int:
    plan, folder, start = job
    stop = min(start + CHUNK, plan.count)
    films = [film for index in range(start, stop) for film in _patient(plan, index)]
    offsets = np.arange(len(films))
    Films(
        names=tuple(FINDINGS),
        images=np.stack([film.image for film in films]),
        labels=np.stack([film.labels for film in films]),
        patients=np.array([film.patient for film in films], dtype=np.int64),
        partners=np.array(
            [o + f.partner if f.partner else -1 for o, f in zip(offsets, films, strict=True)], dtype=np.int64
        ),
        masks=np.stack([film.masks for film in films]) if plan.mask_size else None,
        grades=np.stack([film.grades for film in films]),
    ).save(_chunk(folder, start))
    return start


@dataclass(frozen=True, eq=False)
class _Film:
    image: npt.NDArray[np.float16]
    labels: npt.NDArray[np.int8]
    grades: npt.NDArray[np.uint8]
    masks: npt.NDArray[np.bool_]
    patient: int
    partner: int = 0
    """Offset to the film of the same patient without one finding; 0 where there is none."""


def _patient(plan: PhantomFilms, index: int) -> Iterator[_Film]:
    case = sample_case(plan.seed, index, prevalence=plan.prevalence)
    present = [finding.name for finding in case.findings]
    paired = plan.pairs and bool(present)
    yield _film(plan, case, index, partner=1 if paired else 0)
    if paired:
        removed = present[np.random.default_rng([plan.seed, index, 7]).integers(len(present))]
        yield _film(plan, case.without(removed, keep_domes=True), index)


def _film(plan: PhantomFilms, case: Case, index: int, partner: int = 0) -> _Film:
    size = plan.render_sizes[index % len(plan.render_sizes)]
    phantom = render(case, size, truth=True)
    recipe = InputRecipe(plan.size, plan.size)
    image = prepare_array(phantom.linear, recipe).values[0].astype(np.float16)
    present = {truth.name: truth for truth in phantom.truths}
    return _Film(
        image=image,
        labels=np.array([name in present for name in FINDINGS], dtype=np.int8),
        grades=np.array([GRADES[present[n].difficulty] if n in present else 0 for n in FINDINGS], dtype=np.uint8),
        masks=_coarse_masks(phantom, plan.mask_size),
        patient=plan.seed * 10_000_000 + index,
        partner=partner,
    )


def _coarse_masks(phantom: Phantom, side: int) -> npt.NDArray[np.bool_]:
    masks = np.zeros((len(FINDINGS), max(side, 1), max(side, 1)), dtype=np.bool_)
    if not side:
        return masks
    for truth in phantom.truths:
        step = truth.mask.shape[0] // side
        blocks = truth.mask[: side * step, : side * step].reshape(side, step, side, step)
        masks[FINDINGS.index(truth.name)] = blocks.mean(axis=(1, 3)) >= 0.5
        if not masks[FINDINGS.index(truth.name)].any():
            masks[FINDINGS.index(truth.name)] = blocks.any(axis=(1, 3))
    return masks
