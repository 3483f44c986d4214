"""Does a model read what is no anatomy? Evidence there, what erasing it changes, and attributes that scores follow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from medcam.core.protocols import Classifier
from medcam.evaluate.shortcuts.record import ShortcutRecord
from medcam.evaluate.shortcuts.rule import RULE, ShortcutRule
from medcam.models.registry import load_model
from medcam.service.atomic import write_text
from medcam.service.evaluation.shortcut_films import FolderFilms, ShortcutFilm
from medcam.service.evaluation.shortcut_looks import CONTROLS, Looked
from medcam.service.find_text import TextFinder
from medcam.service.output_errors import writing


def evaluate_shortcuts(
    model: str | Path,
    data: Path,
    *,
    truth: Path | None = None,
    rename: Mapping[str, str] | None = None,
    rule: ShortcutRule = RULE,
    controls: int = CONTROLS,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> ShortcutRecord:
    """Judges the shortcuts of a model on the films of a folder.

    Args:
        model: Name or folder.
        data: A folder of films; with phantoms' `truth.json` the places are exact, else detectors find them.
        truth: A table of labels and attributes, in the place of the folder's own.
        rename: What the model calls a finding of the table.
        rule: Of the verdicts.
        controls: Controls per film and place.
        progress: Called with (films done, films in all).

    Raises:
        UsageError: The folder is no cohort, or the table is malformed.
        ModelError: There is no such model.
    """
    films = FolderFilms(data, truth, rename or {}, TextFinder.load())

    def told() -> Iterator[ShortcutFilm]:
        for film in films:
            yield film
            progress(looked.films + len(films.skipped), len(films))

    looked = Looked(load_model(model), controls)
    for film in told():
        looked.add(film)
    return looked.record(data.resolve().name, rule, notes=films.notes, skipped=films.skipped)


def write_record(record: ShortcutRecord, path: Path) -> None:
    """Writes a record as JSON, whole or not at all.

    Raises:
        OutputError: The disk refuses it.
    """
    with writing():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, record.to_json())


def judge_films(
    films: Iterable[ShortcutFilm],
    model: Classifier,
    *,
    data: str = "",
    rule: ShortcutRule = RULE,
    controls: int = CONTROLS,
) -> ShortcutRecord:
    """The record of films in hand; see `evaluate_shortcuts`."""
    looked = Looked(model, controls)
    for film in films:
        looked.add(film)
    return looked.record(data, rule)
