"""Keeps the DICOM libraries' complaints, which quote attribute values, from reaching a log."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class _Quiet:
    """Python warnings are process-wide: the first reader silences them, the last one restores what was there."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readers = 0
        self._saved = warnings.catch_warnings()

    def enter(self) -> None:
        with self._lock:
            if self._readers == 0:
                self._saved = warnings.catch_warnings()
                self._saved.__enter__()
                warnings.simplefilter("ignore")
            self._readers += 1

    def leave(self) -> None:
        with self._lock:
            self._readers -= 1
            if self._readers == 0:
                self._saved.__exit__(None, None, None)


_QUIET = _Quiet()


@contextmanager
def quiet() -> Iterator[None]:
    """Ignores Python warnings inside; what matters to a reader of the result is warned about by medcam itself."""
    _QUIET.enter()
    try:
        yield
    finally:
        _QUIET.leave()


_STDERR, _STDERR_LOCK = 2, threading.Lock()


@contextmanager
def silent_stderr() -> Iterator[None]:
    """Lets nothing that a C library writes to standard error come out while it lasts; one caller at a time.

    The file descriptor belongs to the whole process, so what other threads write in the meantime is lost as well: for
    short calls only.
    """
    with _STDERR_LOCK:
        saved = -1
        with suppress(OSError):  # no standard error to keep, or no descriptor left: then nothing is done
            saved = os.dup(_STDERR)
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, _STDERR)
            os.close(nothing)
        try:
            yield
        finally:
            if saved >= 0:
                os.dup2(saved, _STDERR)
                os.close(saved)
