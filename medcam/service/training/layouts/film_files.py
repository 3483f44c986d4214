"""Film files of a source: by their names, wherever below it they lie."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

SUFFIXES = frozenset((".dcm", ".dicom", ".png", ".jpg", ".jpeg"))


def walk(folder: Path) -> Iterator[Path]:
    """Film files below a folder, in the order of their names; hidden folders and links to folders are passed over."""
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(here, name) for name in sorted(files) if _is_film(name))


def by_name(folder: Path) -> dict[str, Path]:
    """Film files below a folder, by file name with suffix and without; the first one where two are called alike."""
    found: dict[str, Path] = {}
    for path in walk(folder):
        found.setdefault(path.name, path)
        found.setdefault(path.stem, path)
    return found


def _is_film(name: str) -> bool:
    return not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES
