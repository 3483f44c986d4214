"""Films that a probe is fitted to: where they lie, of whom they are, what a model's layers say of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from medcam.core.arrays import FloatArray
from medcam.core.errors import InputError, UsageError
from medcam.core.radiograph import Radiograph
from medcam.dicom import find_sources, load_radiograph
from medcam.models.loaded import LoadedModel
from medcam.models.probes.layers import BATCH, pooled_layers
from medcam.service.training.film_file import DICOM_SUFFIXES
from medcam.service.training.folder_films import label_table
from medcam.service.training.picture_films import SUFFIXES, picture_film

Progress = Callable[[int, int], None]
"""Called with films done and films in all."""

_NEXT = "Name a folder with DICOM files or pictures, or a CSV table with the column `image`."


@dataclass(frozen=True, slots=True)
class NamedFilm:
    """A film that somebody named.

    Args:
        path: Where it lies.
        name: As it was named.
        patient: Films of one patient share it; empty where nobody said, and the film's study is taken.
    """

    path: Path
    name: str
    patient: str = ""


@dataclass(frozen=True, eq=False)
class FilmFeatures:
    """What the layers of a model say of films.

    Args:
        films: Those that could be read, in order.
        patients: One text per film.
        pooled: float32 [n, channels] per layer: globally averaged.
        skipped: Codes of those that could not be read, by name.
    """

    films: tuple[NamedFilm, ...]
    patients: tuple[str, ...]
    pooled: Mapping[str, FloatArray] = field(repr=False)
    skipped: Mapping[str, str]


def named_films(source: Path | str) -> list[NamedFilm]:
    """The films of a folder, or of a table.

    Args:
        source: A folder, searched below too: its DICOM files, or its pictures where it has none; or a CSV file with the
            column `image` (paths relative to the table) and, if patients have several films, `patient_id`.

    Raises:
        UsageError: There is no such folder or file (`no-such-source`), it holds no film (`empty-cohort`), or the table
            is malformed (`training-table`).
    """
    source = Path(source)
    if source.is_dir():
        paths = list(find_sources([source]))
        found = [path for path in paths if path.suffix.lower() in DICOM_SUFFIXES]
        # Beside DICOM files, pictures are previews or masks.
        found = found or [path for path in paths if path.suffix.lower() in SUFFIXES]
        films = [NamedFilm(path, path.relative_to(source).as_posix()) for path in found]
    elif source.is_file():
        rows = label_table(source)
        films = [NamedFilm(source.parent / row["image"], row["image"], row.get("patient_id", "")) for row in rows]
    else:
        raise UsageError(f"there is no folder or table {source}", code="no-such-source", next_step=_NEXT)
    if not films:
        raise UsageError(f"{source.name} holds no films", code="empty-cohort", next_step=_NEXT)
    return films


def read_film(film: NamedFilm) -> Radiograph:
    """Reads a film.

    Raises:
        InputError: It cannot be read.
    """
    return picture_film(film.path) if film.path.suffix.lower() in SUFFIXES else load_radiograph(film.path)


def film_features(
    films: Sequence[NamedFilm], model: LoadedModel, layers: Sequence[str], progress: Progress = lambda *_: None
) -> FilmFeatures:
    """Runs a model over films, and pools the outputs of some layers; what cannot be read is left out and told.

    Args:
        films: Which.
        model: Frozen.
        layers: Names among `medcam.models.probes.layers.layer_channels`.
        progress: Called after each film.

    Raises:
        ModelError: There is no such layer (code "probe-layer").
    """
    skipped: dict[str, str] = {}
    kept: list[NamedFilm] = []
    patients: list[str] = []
    parts: dict[str, list[FloatArray]] = {layer: [] for layer in layers}
    for batch in _batches(films, model, skipped, progress):
        kept += [film for film, _, _ in batch]
        patients += [patient for _, patient, _ in batch]
        found = pooled_layers(model.network, np.stack([values for _, _, values in batch]), layers)
        for layer, values in found.items():
            parts[layer].append(values)
    pooled = {layer: np.concatenate(rows) if rows else np.zeros((0, 0), np.float32) for layer, rows in parts.items()}
    return FilmFeatures(tuple(kept), tuple(patients), pooled, skipped)


def _batches(
    films: Sequence[NamedFilm], model: LoadedModel, skipped: dict[str, str], progress: Progress
) -> Iterator[list[tuple[NamedFilm, str, FloatArray]]]:
    batch: list[tuple[NamedFilm, str, FloatArray]] = []
    for done, film in enumerate(films, start=1):
        try:
            radiograph = read_film(film)
            patient = film.patient or radiograph.identity.study_instance_uid or film.name
            batch.append((film, patient, model.prepare(radiograph).values))
        except InputError as error:
            skipped[film.name] = error.code
        if len(batch) == BATCH:
            yield batch
            batch = []
        progress(done, len(films))
    if batch:
        yield batch
