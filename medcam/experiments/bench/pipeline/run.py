"""Measures the pipeline: its stages, the model alone, and whole runs, in turns; then one long run."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from medcam.core.arrays import FloatArray
from medcam.core.errors import MedcamError
from medcam.dicom import load_radiograph
from medcam.dicom.sandbox.pool import ReaderPool
from medcam.experiments.bench.pipeline.feed import AHEAD, FilmFeed
from medcam.experiments.bench.pipeline.films import DrawnFilms, draw_films, make_films
from medcam.experiments.bench.pipeline.long_run import LongRun, long_run
from medcam.experiments.bench.pipeline.meter import Cost, stage_costs
from medcam.experiments.bench.pipeline.plan import PipelineSettings
from medcam.experiments.bench.pipeline.results import JSON, OBJECTS, PipelineFigures, Round
from medcam.experiments.machine import machine
from medcam.models.loaded import LoadedModel
from medcam.models.registry import load_model
from medcam.service.annotate.object_writers import ObjectWriters
from medcam.service.annotate.options import AnnotateOptions, parse_outputs
from medcam.service.annotate.run import BATCH, annotate


def pipeline_figures(settings: PipelineSettings) -> PipelineFigures:
    """Measures `medcam annotate` on phantoms in a mix of codecs.

    The bare engine, which a run is set beside, is the run's own model on the run's own engine, asked about batches of
    the pipeline's size that lie in memory as it wants them, with all cores and nothing beside it. The bound is what the
    cores could do if they were never idle and worked at nothing but the stages: cores over the processor seconds that
    one film takes in all stages together.

    Args:
        settings: How.

    Returns:
        What was measured.

    Raises:
        MedcamError: The model cannot be loaded, or a run fails.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with tempfile.TemporaryDirectory(prefix="medcam-bench-") as name:
        folder = Path(name)
        settings.report(f"{settings.rendered} films of {settings.side} px are drawn")
        drawn = draw_films(folder / "drawn", settings.rendered, side=settings.side, workers=settings.workers)
        films = make_films(drawn, folder / "copies", max(settings.round_films, settings.stage_films, BATCH))
        options = AnnotateOptions(model=settings.model, workers=settings.workers, resume=False)
        model = load_model(settings.model, options.engine, threads=options.engine_threads)
        batch = _inputs(films[:BATCH], model)
        _measured_run(films[:1], folder / "warm", model, settings, JSON)
        rounds = []
        for number in range(settings.rounds):
            settings.report(f"round {number + 1} of {settings.rounds}: stages, engine, runs")
            rounds.append(_round(films, folder / f"round-{number}", model, batch, settings))
        long = _long_run(drawn, folder / "long", settings) if settings.films else LongRun((), ())
    engine = f"{model.engine.name} {model.engine.precision}"
    return PipelineFigures(settings, machine(("numpy", "pydicom", "openvino", "torch")), cores, engine, rounds, long)


def _long_run(drawn: DrawnFilms, folder: Path, settings: PipelineSettings) -> LongRun:
    settings.report(f"one run of {settings.films} films")
    ahead = AHEAD + 8 * settings.workers  # each worker has a few films under way
    return long_run(FilmFeed(drawn, folder, settings.films, ahead=ahead), settings.model, settings.workers)


def _round(
    films: Sequence[Path], folder: Path, model: LoadedModel, batch: FloatArray, settings: PipelineSettings
) -> Round:
    costs: dict[str, dict[str, Cost]] = {}
    runs: dict[str, float] = {}
    for outputs in (JSON, OBJECTS):
        options = AnnotateOptions(model=settings.model, outputs=parse_outputs(outputs), workers=settings.workers)
        with ReaderPool(1) as readers:
            measured = films[: settings.stage_films]
            costs[outputs] = stage_costs(measured, folder / f"stages-{len(costs)}", model, options, readers)
    engine = _engine(model, batch, settings.engine_seconds)
    for outputs in (JSON, OBJECTS):
        out = folder / f"run-{len(runs)}"
        runs[outputs] = _measured_run(films[: settings.round_films], out, model, settings, outputs)
    return Round(costs, engine, runs)


def _inputs(films: Sequence[Path], model: LoadedModel) -> FloatArray:
    """One batch as the model wants it."""
    return np.stack([model.prepare(load_radiograph(film)).values for film in films])


def _engine(model: LoadedModel, batch: FloatArray, seconds: float) -> float:
    """Films a second of the model alone."""
    model.predict(batch)
    done, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        model.predict(batch)
        done += len(batch)
    return done / (time.perf_counter() - began)


def _measured_run(
    films: Sequence[Path], out: Path, model: LoadedModel, settings: PipelineSettings, outputs: str
) -> float:
    """Films a second of a run; the processes that read or make objects are started before, and the model is loaded.

    Raises:
        MedcamError: A film is not annotated (code `bench-film`).
    """
    options = AnnotateOptions(
        model=settings.model, outputs=parse_outputs(outputs), workers=settings.workers, resume=False
    )
    with ReaderPool(settings.workers) as readers, ObjectWriters(settings.workers) as objects:
        _start_all(readers, films[0], settings.workers)
        if outputs != JSON:
            objects.start()
        began = time.perf_counter()
        manifest = annotate(list(films), out, options, readers=readers, classifier=model, objects=objects)
        seconds = time.perf_counter() - began
    if manifest.counts.annotated != len(films):
        raise MedcamError(
            f"{len(films)} films were to be annotated, and {manifest.counts.annotated} were",
            code="bench-film",
            next_step="Run `medcam annotate` on phantoms of this size with this model and see why.",
        )
    return len(films) / seconds


def _start_all(readers: ReaderPool, film: Path, count: int) -> None:
    """Has all processes that read started: each is when it is first needed."""
    data = film.read_bytes()
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(lambda _: readers.open(data, film.name), range(2 * count)))
