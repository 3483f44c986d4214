"""What an experiment is: something that is run once per budget and seed, and rendered from its figures alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medcam.core.errors import UsageError
from medcam.experiments.budget import Budget

Figures = dict[str, Any]
"""Plain values that JSON can hold: all that a page is made of."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How experiments are run.

    Args:
        budget: How much they may take.
        seed: Chooses the films that are measured on.
        work: Folder for films, checkpoints and finished runs.
        workers: Processes that render.
        threads: CPU threads that train; 0 leaves torch's own choice.
        pictures: Folder of the pages, for pictures that are too large for a record.
        data: Folder of real films, for the experiments that need some; None for none.
        report: Called with what has been done.
    """

    budget: Budget
    seed: int
    work: Path
    workers: int = 1
    threads: int = 0
    pictures: Path | None = None
    data: Path | None = None
    report: Callable[[str], None] = field(default=lambda _: None, repr=False)


def real_films(setting: Setting, command: str) -> Path:
    """The folder of real films.

    Raises:
        UsageError: None is named (code `no-films`); the next step is the command.
    """
    if setting.data is None:
        raise UsageError(
            "this experiment needs real films", code="no-films", next_step=f"Name their folder: {command}."
        )
    return setting.data


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the summary.

    Args:
        row: Row of the lecture, such as "L3"; empty for what the lecture does not have.
        what: What was asked.
        here: The figure that was measured, in words.
        paper: What the lecture or the paper has beside it; empty where it has nothing.
    """

    row: str
    what: str
    here: str
    paper: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A page to be written.

    Args:
        body: Markdown below the title.
        pictures: SVG text by file name, which the body refers to.
    """

    body: str
    pictures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Experiment:
    """One experiment.

    Args:
        name: Of the page and on the command line.
        title: Of the page.
        run: Measures.
        page: Renders figures.
        summary: The summary's rows.
    """

    name: str
    title: str
    run: Callable[[Setting], Figures]
    page: Callable[[Figures], Page]
    summary: Callable[[Figures], list[Line]]
