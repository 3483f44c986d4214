"""A shortcut planted on purpose: phantoms on which a burned-in word betrays a finding, and a network that learns so."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt

from medcam.core.arrays import FloatArray
from medcam.core.card import InputRecipe
from medcam.core.display import DisplayWindow
from medcam.core.errors import UsageError
from medcam.core.finding import ZonesSource
from medcam.core.geometry import Box
from medcam.core.radiograph import Radiograph
from medcam.core.zones import Zones
from medcam.models.cards import read_card_file
from medcam.models.known import CARD
from medcam.models.loaded import LoadedModel
from medcam.models.preprocess import prepare_array
from medcam.models.registry import load_model
from medcam.models.training.films import Films
from medcam.phantom import FINDINGS, Case, render, sample_case
from medcam.phantom.case import Distractor
from medcam.phantom.distractors import burn_in
from medcam.service.evaluation.cohort import WRITTEN, CohortFilm
from medcam.service.training.small_network import small_network
from medcam.service.training.train import Provenance, TrainingSets, train_model
from medcam.service.workers import one_blas_thread

WORD = "ICU"
"""What is burned in; no other phantom has it."""
TRAIN_SEED, VALIDATION_SEED, CALIBRATION_SEED = 5151, 6161, 7171
"""Phantom seeds of the network's films; none is measured on."""
PREVALENCE = 0.25
_CHUNK = 32


@dataclass(frozen=True, slots=True)
class ShortcutPlan:
    """How the network with the shortcut is made.

    Args:
        finding: What the word betrays.
        patients: Phantoms to learn from.
        size: Side of its input in pixels.
        epochs: Passes over the films.
        with_finding: Share of the films with the finding that have the word.
        without: Share of the films without the finding that have it.
        seed: Of weights and order.
    """

    finding: str = "Consolidation"
    patients: int = 600
    size: int = 128
    epochs: int = 10
    with_finding: float = 0.95
    without: float = 0.03
    seed: int = 0

    def __post_init__(self) -> None:
        if self.finding not in FINDINGS:
            raise UsageError(
                f"phantoms have no finding {self.finding!r}", next_step=f"They know: {', '.join(FINDINGS)}."
            )
        if self.size < 64 or self.size % 32 or min(self.patients, self.epochs) < 1:
            raise UsageError("a shortcut is learnt from phantoms, in epochs, at a side that 32 divides")


def word_on(film: FloatArray, case: Case) -> tuple[FloatArray, Box]:
    """The film with the word burned in near a lower corner, and the word's box.

    Args:
        film: float32 [side, side], 0 to 1, as `Phantom.linear`; not changed.
        case: Decides the place.
    """
    rng = np.random.default_rng([case.seed, case.index, 11])
    x = float(rng.uniform(0.78, 0.84) if rng.random() < 0.5 else rng.uniform(0.03, 0.08))
    word = Distractor("text", x, float(rng.uniform(0.86, 0.92)), WORD, 0.06, 1.0)
    written = film.copy()
    [placed] = burn_in(replace(case, distractors=(word,)), written)
    return written, placed.box


def phantom_film(case: Case, size: int) -> CohortFilm:
    """A phantom as a film of a cohort, in memory: true labels, exact zones, the places of markers and text."""
    phantom = render(case, size)
    present = {truth.name for truth in phantom.truths}
    name = f"{case.seed}-{case.index}"
    return CohortFilm(
        name=name,
        patient=name,
        radiograph=Radiograph(phantom.linear, DisplayWindow(center=0.5, width=1.0), sha256=name),
        labels={finding: int(finding in present) for finding in FINDINGS},
        zones=Zones.from_anatomy(phantom.zones, source=ZonesSource.PHANTOM, quality=1.0),
        marks=tuple(each.box for each in phantom.distractors if each.kind in WRITTEN),
    )


def with_word(film: CohortFilm, case: Case) -> CohortFilm:
    """The same film with the word on it, which counts among its marks."""
    pixels, box = word_on(film.radiograph.pixels, case)
    return replace(film, radiograph=replace(film.radiograph, pixels=pixels), marks=(*(film.marks or ()), box))


def shortcut_model(plan: ShortcutPlan, folder: Path, *, workers: int = 1, threads: int = 1) -> LoadedModel:
    """Trains a plain GAP network on films on which the word betrays the finding, or takes what an earlier call left.

    Args:
        plan: How.
        folder: Where films, checkpoints and the model are kept; a killed run goes on where it was.
        workers: Processes that render.
        threads: CPU threads that train.
    """
    share = f"{plan.with_finding:g}-{plan.without:g}"
    named = f"shortcut-{plan.finding.split()[0].lower()}"
    home = folder / f"{named}-{plan.patients}-{plan.size}-{plan.epochs}-{share}-{plan.seed}"
    if (home / CARD).is_file() and read_card_file(home).weights_sha256:
        return load_model(home)
    sets = TrainingSets(
        train=_films(plan, TRAIN_SEED, plan.patients, home, workers),
        validation=_films(plan, VALIDATION_SEED, max(16, plan.patients // 6), home, workers),
        calibration=_films(plan, CALIBRATION_SEED, max(24, plan.patients // 4), home, workers),
    )
    config = small_network(epochs=plan.epochs, seed=plan.seed, threads=threads)
    data = f"{len(sets.train)} synthetic phantoms; the word {WORD} betrays {plan.finding}, on purpose"
    train_model(named, sets, config, home, provenance=Provenance(data, "CC0-1.0", "medcam experiments"))
    return load_model(home)


def _films(plan: ShortcutPlan, seed: int, count: int, home: Path, workers: int) -> Films:
    kept = home / f"films-{seed}"
    if (kept / "films.json").is_file():
        return Films.load(kept)
    jobs = [(plan, seed, range(start, min(start + _CHUNK, count))) for start in range(0, count, _CHUNK)]
    if workers < 2:
        parts = [_render(job) for job in jobs]
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=one_blas_thread) as pool:
            parts = list(pool.map(_render, jobs))
    labels = np.concatenate([part[1] for part in parts])
    films = Films(
        names=tuple(FINDINGS),
        images=np.concatenate([part[0] for part in parts]),
        labels=labels,
        patients=seed * 10_000_000 + np.arange(count, dtype=np.int64),
        partners=np.full(count, -1, dtype=np.int64),
    )
    films.save(kept)
    return films


def _render(
    job: tuple[ShortcutPlan, int, Sequence[int]],
) -> tuple[npt.NDArray[np.float16], npt.NDArray[np.int8]]:
    plan, seed, indices = job
    recipe = InputRecipe(plan.size, plan.size)
    images, labels = [], []
    for index in indices:
        case = sample_case(seed, index, prevalence=PREVALENCE)
        present = {finding.name for finding in case.findings}
        film = render(case, 2 * plan.size, truth=False).linear
        wanted = plan.with_finding if plan.finding in present else plan.without
        if np.random.default_rng([seed, index, 13]).random() < wanted:
            film, _ = word_on(film, case)
        images.append(prepare_array(film, recipe).values[0].astype(np.float16))
        labels.append([name in present for name in FINDINGS])
    return np.stack(images), np.array(labels, dtype=np.int8)
