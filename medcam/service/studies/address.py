"""Where a store lies, and where the films do that its database speaks of."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path

from medcam.core.errors import UsageError
from medcam.core.folders import data_folder
from medcam.store import sqlite_url

DATABASE_NAME = "medcam.db"
FILMS_NAME = "films"
FILMS_VARIABLE = "MEDCAM_FILMS"
"""Environment variable that names the folder of films of a store that is no file."""


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """A store's address.

    Args:
        url: Of the database, as SQLAlchemy takes it. May hold a password: never shown.
        films: Folder of the films.
        label: What may be shown of it.
        file: The database's file; None for a server.
    """

    url: str = field(repr=False)
    films: Path
    label: str
    file: Path | None = None


def store_address(text: str | os.PathLike[str] | None = None) -> StoreAddress:
    """What somebody means who names a store.

    Args:
        text: A folder, which then holds `medcam.db` and `films/`; or sqlite:///PATH; or postgresql+psycopg://..., whose
            films lie in the folder that `$MEDCAM_FILMS` names, else in the user's data folder. None is the user's data
            folder.

    Raises:
        UsageError: The text is empty, or names a file (code `store-address`).
    """
    text = data_folder() if text is None else os.fspath(text)
    if isinstance(text, str) and "://" in text:
        return _by_url(text)
    folder = Path(text)
    if not str(text).strip() or (folder.exists() and not folder.is_dir()):
        raise UsageError(
            "a store is a folder or the URL of a database, not a file",
            code="store-address",
            next_step="Name a folder, sqlite:///PATH or postgresql+psycopg://USER@HOST/NAME.",
        )
    folder = folder.resolve()
    file = folder / DATABASE_NAME
    return StoreAddress(sqlite_url(file), folder / FILMS_NAME, str(folder), file)


def _by_url(url: str) -> StoreAddress:
    named = os.environ.get(FILMS_VARIABLE)
    if url.startswith("sqlite:"):
        file = Path(url.partition("///")[2].partition("?")[0]).resolve()
        return StoreAddress(url, Path(named) if named else file.parent / FILMS_NAME, str(file), file)
    shown = url.rpartition("@")[2].partition("?")[0]
    # Two databases of one user do not share a folder: what one forgets the other may still need.
    own = hashlib.sha256(shown.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return StoreAddress(url, Path(named) if named else data_folder() / FILMS_NAME / own, shown)
