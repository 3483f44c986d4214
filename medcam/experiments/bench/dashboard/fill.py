"""Fills a store for the load test: a few films are annotated, and many studies are made of what was said of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from medcam.core.errors import InputError
from medcam.experiments.bench.dashboard.rows import Filling, Row
from medcam.service.annotate.options import AnnotateOptions, Output
from medcam.service.annotate.run import annotate
from medcam.service.studies.opened import OpenedStore, opened_store
from medcam.store.dump import dump_rows, load_rows

_TEMPLATES = ("models", "radiographs", "explanations", "findings")


def annotated_store(films: Sequence[Path], folder: Path, model: str = "phantom") -> Path:
    """Annotates films into a store of their own, whose rows the others are made from.

    Args:
        films: DICOM files.
        folder: Where store and results go.
        model: Name or folder of the model.

    Raises:
        InputError: None of the films could be annotated (code `no-films`).
        MedcamError: As `annotate`.
    """
    store = folder / "annotated"
    options = AnnotateOptions(model, outputs=(Output.JSON,), store=str(store))
    manifest = annotate(list(films), folder / "out", options)
    if not manifest.annotated:
        raise InputError("none of the films could be annotated", code="no-films")
    return store


def fill_store(
    opened: OpenedStore,
    annotated: Path,
    *,
    studies: int,
    openable: int,
    readers: int,
    now: float,
) -> float:
    """Fills an empty store.

    Args:
        opened: The store.
        annotated: From `annotated_store`.
        studies: How many studies it gets.
        openable: How many of them have a film, an explanation and findings.
        readers: How many readers it gets.
        now: Seconds since 1970 UTC.

    Returns:
        The seconds that it took.

    Raises:
        StoreError: It is not empty (code `store-not-empty`), or refuses the rows.
        OutputError: The films cannot be written.
    """
    began = time.monotonic()
    with opened_store(annotated, make=False) as source:
        with source.store.read() as session:
            templates: dict[str, list[Row]] = {name: list(dump_rows(session, name)) for name in _TEMPLATES}
        load_rows(opened.store, Filling(templates, studies, openable, readers, now).tables())
        for film in templates["radiographs"]:
            opened.files.keep_pixels(film["sha256"], source.files.pixels(film["sha256"]))
    return time.monotonic() - began
