"""What all commands share: where they print, how they show progress, how they end."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from os import PathLike, fspath
from types import FrameType
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from medcam.core.errors import MedcamError, UsageError

if TYPE_CHECKING:
    from rich.table import Table

_WRONG_CALL_CODES = frozenset(("no-such-model", "no-such-probe"))
_SECONDS_BETWEEN_LINES = 5.0


PAGE_WIDTH = 118
"""Columns of a table that goes into a file or a pipe."""


class ExitCode(IntEnum):
    """How a command ends."""

    DONE = 0
    SOME_QUARANTINED = 1
    WRONG_CALL = 2
    NOTHING_DONE = 3
    INTERRUPTED = 130
    TERMINATED = 143


class _Terminated(BaseException):
    """SIGTERM arrived; no handler of ordinary errors may swallow it."""


def say(text: str = "") -> None:
    """Prints a line of the result on standard output, just as it is: no markup, no wrapping."""
    Console(markup=False, highlight=False, soft_wrap=True).print(text)


def tell(text: str) -> None:
    """Prints a line about the work on standard error."""
    Console(stderr=True, markup=False, highlight=False, soft_wrap=True).print(text)


def show(table: Table) -> None:
    """Prints a table of the result on standard output: as wide as the terminal, or wide enough where there is none."""
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else PAGE_WIDTH
    Console(markup=False, highlight=False, width=width).print(table)


def on_terminal() -> bool:
    """Whether somebody sits before this process: both input and output are a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def command_line(*words: str | PathLike[str]) -> str:
    """A command to copy, quoted as a POSIX shell wants it."""
    return shlex.join(fspath(word) for word in words)


@contextmanager
def reporting_errors() -> Iterator[None]:
    """Turns a `MedcamError` into a message with its code and next step, and an exit code."""
    try:
        yield
    except MedcamError as error:
        tell(f"error [{error.code}]: {error.message}")
        tell(f"  {error.next_step}")
        wrong_call = isinstance(error, UsageError) or error.code in _WRONG_CALL_CODES
        sys.exit(ExitCode.WRONG_CALL if wrong_call else ExitCode.NOTHING_DONE)


@contextmanager
def stoppable(advice: str) -> Iterator[None]:
    """Lets Ctrl-C and SIGTERM end a command in good order.

    Args:
        advice: Said then, such as how to go on.

    Raises:
        typer.Exit: With 130 after Ctrl-C, 143 after SIGTERM.
    """

    def terminate(_number: int, _frame: FrameType | None) -> None:
        raise _Terminated

    previous = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    except KeyboardInterrupt:
        tell(f"interrupted. {advice}")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    except _Terminated:
        tell(f"terminated. {advice}")
        raise typer.Exit(ExitCode.TERMINATED) from None
    finally:
        signal.signal(signal.SIGTERM, previous)


Step = Callable[[int, int, str], None]
"""Called with what is done, what there is in all, and a note such as "2 quarantined"."""


@contextmanager
def progress(what: str) -> Iterator[Step]:
    """Shows progress on standard error: a bar on a terminal, a line every few seconds elsewhere.

    Args:
        what: Is being done, such as "annotate".

    Yields:
        A function to be told how far the work has come.
    """
    console = Console(stderr=True)
    if console.is_terminal:
        with _bar(console, what) as step:
            yield step
    else:
        yield _lines(what)


@contextmanager
def _bar(console: Console, what: str) -> Iterator[Step]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(what, total=None, note="")

        def step(done: int, total: int, note: str = "") -> None:
            bar.update(task, completed=done, total=total, note=note)

        yield step


def _lines(what: str) -> Step:
    last = time.monotonic()

    def step(done: int, total: int, note: str = "") -> None:
        nonlocal last
        now = time.monotonic()
        if done == total or now - last >= _SECONDS_BETWEEN_LINES:
            last = now
            tell(f"{what}: {done} of {total}{f', {note}' if note else ''}")

    return step
