"""Bringing a store up to date, and copying one into another."""

from __future__ import annotations

import tempfile
from pathlib import Path

from medcam.service.studies.backup import Progress, back_up, restore
from medcam.service.studies.opened import open_database, opened_store
from medcam.store.dump import revision

SLOW_SEARCH = (
    "A search of its worklist reads every study, since the index for it cannot be made: have the administrator of "
    "PostgreSQL run `CREATE EXTENSION pg_trgm` in this database, then run this command again as the owner of its tables"
)

SLOW_SEARCH_SQLITE = (
    "A search of its worklist reads every study, since this Python's library of SQLite cannot keep the index for it: "
    "use a Python with SQLite 3.34 or newer and its module FTS5, and the index is made when the store is opened"
)


def migrate_store(named: str | None, to: str | None, progress: Progress = lambda _done, _total: None) -> str:
    """Brings the tables of a store up to date; with a second store, copies everything into that one.

    Args:
        named: The store; None for the one in the user's data folder.
        to: An empty store; None for none.
        progress: Called with how many parts are copied, and of how many.

    Returns:
        What was done, in a sentence.

    Raises:
        UsageError: There is no such store (code `no-store`).
        StoreError: A database cannot be used, or the second one is not empty (code `store-not-empty`).
        OutputError: Films cannot be written.
    """
    if to is None:
        with open_database(named) as database:
            told = f"{database.address.label} is up to date (revision {revision()})"
            slow = SLOW_SEARCH_SQLITE if database.store.dialect == "sqlite" else SLOW_SEARCH
            return told if database.store.finish() else f"{told}. {slow}"
    with opened_store(named, make=False) as old, opened_store(to) as new, tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.zip"
        back_up(old, copy, progress=progress)
        summary = restore(new, copy, progress)
        return f"Copied {sum(summary.rows.values())} rows and {summary.films} files of films to {new.address.label}"
