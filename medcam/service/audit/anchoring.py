"""Anchors that are written by themselves, now and then, while a server runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from medcam.core.errors import InvalidValueError, MedcamError
from medcam.service.audit.anchor import make_anchor, write_anchor
from medcam.service.studies.opened import open_database

_LOG = logging.getLogger("medcam.audit")


@contextmanager
def anchoring(store: str | None, to: str | None, minutes: float) -> Iterator[None]:
    """Writes an anchor at the start of a block, then every so often where the trail has grown, and at the end.

    Args:
        store: A folder or a URL; None for the one in the user's data folder.
        to: A file's name or "syslog"; None writes none.
        minutes: Between two looks.

    Raises:
        InvalidValueError: The time is not positive.
        AnchorError: The first one cannot be written. Later failures are logged and tried again at the next look.
        StoreError: The database cannot be used.
    """
    if minutes <= 0:
        raise InvalidValueError("anchors are written every so many minutes, more than 0")
    if to is None:
        yield
        return
    written = _write(store, to, 0)
    over = threading.Event()

    def watch() -> None:
        number = written
        while True:
            last = over.wait(60.0 * minutes)
            try:
                number = _write(store, to, number)
            except MedcamError as error:
                _LOG.warning("anchor not written", extra={"code": error.code})
            if last:
                return

    watcher = threading.Thread(target=watch, name="medcam-anchor", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _write(store: str | None, to: str, after: int) -> int:
    """Writes an anchor where the trail has more events than `after`; the number of the last one that is anchored."""
    with open_database(store) as database:
        if database.events() <= after:
            return after
        anchor = make_anchor(database.store)
    write_anchor(anchor, to)
    return anchor.number
