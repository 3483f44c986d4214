"""The films in a folder that `medcam annotate --out` wrote: found, summed up for a worklist, shown as pictures.

    OUT/<study>/<instance>/explanation.json
    OUT/<study>/<instance>/overlay-<finding>.png

A worklist needs a few words per film, and maps and contours are nearly all of the file, so the summary leaves them out
before it parses. `medcam.service.explanations.explanation_json` reads one film in full when it is opened.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from medcam.core.codes import slug
from medcam.core.errors import InputError

_EXPLANATION = "explanation.json"
_FOLDER_NAME = re.compile(r"[0-9a-f]{16}")
# Lists of numbers, also of pairs: they end at the last bracket before the next name or the end of the object.
_NUMBERS = re.compile(rb'"(values|contour)"\s*:\s*\[[\[\]\d\s.,eE+\-]*\](?=\s*[,}])')
_PNG_START, _PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"


@dataclass(frozen=True, slots=True)
class FilmFile:
    """Where one film's results lie. Two equal values mean that the file has not changed between."""

    study: str
    instance: str
    path: Path
    changed: int
    size: int

    @property
    def film_id(self) -> str:
        """Study and instance, 16 hexadecimal digits each."""
        return f"{self.study}/{self.instance}"


@dataclass(frozen=True, slots=True)
class FilmSummary:
    """What a worklist says about one film.

    Args:
        file: Where its results lie.
        view: PA, AP, lateral or "unknown".
        present: Names of the findings that are present, the one furthest over its operating threshold first.
        probability: Probability of the first of them, or of the nearest miss; None without an answer.
        margin: How far the logit of the same finding lies over its threshold, in logit units: negative when no
            finding is present, None without an answer.
        flagged: Whether the film is out of distribution.
        problem: Why the results cannot be read; empty when they can.
    """

    file: FilmFile
    view: str = "unknown"
    present: tuple[str, ...] = ()
    probability: float | None = None
    margin: float | None = None
    flagged: bool = False
    problem: str = ""

    @property
    def answered(self) -> bool:
        """Whether the model said of at least one finding if it is present."""
        return self.margin is not None


def find_films(folder: Path) -> tuple[FilmFile, ...]:
    """Finds the films of an annotate run, finished or under way.

    Args:
        folder: What `medcam annotate --out` wrote.

    Returns:
        In the order of their names; without a film whose results are not written yet.
    """
    return tuple(
        film
        for study in _subfolders(folder)
        for instance in _subfolders(Path(study.path))
        if (film := _film_file(study.name, instance)) is not None
    )


def summarise(file: FilmFile) -> FilmSummary:
    """Sums up one film for the worklist. What cannot be read becomes a summary that says so; nothing is raised.

    Remembered for as long as the file stays as it is, so that a run under way costs only its new films.
    """
    try:
        return _remembered(file)
    except OSError as error:
        # Not remembered: a permission or a network folder comes back without a change of the file.
        return FilmSummary(file, problem=f"{_EXPLANATION} cannot be opened: {error.strerror or error}")


def read_overlay(file: FilmFile, finding: str) -> bytes | None:
    """The overlay picture of a finding as `medcam annotate` drew it.

    Args:
        file: The film.
        finding: The finding's name.

    Returns:
        A PNG file's bytes; None when no picture of this finding was drawn.

    Raises:
        InputError: There is a file, but not a whole picture; code "unreadable-overlay".
    """
    path = _overlay_path(file, finding)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _no_picture(path) from error
    if not (data.startswith(_PNG_START) and data.endswith(_PNG_END)):
        raise _no_picture(path)
    return data


def margin_over(logit: float, threshold: float) -> float:
    """How far a logit lies over an operating threshold on the probability, in logit units.

    The difference of probabilities would put a near-certain finding with a high threshold behind everything else.
    """
    return logit - math.log(threshold / (1.0 - threshold))


@lru_cache(maxsize=65_536)
def _remembered(file: FilmFile) -> FilmSummary:
    data = file.path.read_bytes()
    try:
        return _summary(file, json.loads(_NUMBERS.sub(rb'"\1":[]', data)))
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError):
        return FilmSummary(file, problem=f"{_EXPLANATION} is damaged")


def _overlay_path(file: FilmFile, finding: str) -> Path:
    return file.path.parent / f"overlay-{slug(finding)}.png"


def _no_picture(path: Path) -> InputError:
    return InputError(
        f"{path.name} is no whole picture",
        code="unreadable-overlay",
        next_step="Delete it and run `medcam annotate` again with the same --out.",
    )


def _subfolders(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            names = [entry for entry in entries if _FOLDER_NAME.fullmatch(entry.name) and entry.is_dir()]
    except OSError:
        # A run that is under way may replace a folder between the two looks at it.
        return
    yield from sorted(names, key=lambda entry: entry.name)


def _film_file(study: str, instance: os.DirEntry[str]) -> FilmFile | None:
    path = Path(instance.path, _EXPLANATION)
    try:
        status = path.stat()
    except OSError:
        return None
    return FilmFile(study, instance.name, path, status.st_mtime_ns, status.st_size)


def _summary(file: FilmFile, document: Any) -> FilmSummary:  # noqa: ANN401  parsed JSON
    found = sorted(((_margin(finding), finding) for finding in document["findings"]), key=lambda pair: -pair[0])
    answered = [(margin, finding) for margin, finding in found if finding["present"] is not None]
    present = [(margin, finding) for margin, finding in answered if finding["present"]]
    leading: Any
    margin, leading = next(iter(present or answered), (None, {}))
    return FilmSummary(
        file,
        view=str(document["source"].get("view", "unknown")),
        present=tuple(str(finding["name"]) for _, finding in present),
        probability=leading.get("probability"),
        margin=margin,
        flagged=bool(document["out_of_distribution"]["flagged"]),
    )


def _margin(finding: Any) -> float:  # noqa: ANN401  parsed JSON
    margin = margin_over(float(finding["logit"]), float(finding["threshold"]))
    if not (math.isfinite(margin) and 0.0 <= finding["probability"] <= 1.0):
        raise ValueError("a finding needs a finite logit and a probability between 0 and 1")
    return margin
