"""A folder per class: DATA/<class>/ with its films, each film in one class."""

from __future__ import annotations

from pathlib import Path

from medcam.core.errors import UsageError
from medcam.service.training.layouts.film_files import walk
from medcam.service.training.layouts.listing import ABSENT, NO_FINDING, PRESENT, Layout, ListedFilm, Listing
from medcam.service.training.layouts.tables import has_tables


def fits(source: str) -> bool:
    """Whether there are at least two folders with films, and neither films nor a table beside them."""
    folder = Path(source)
    # Where there is a table that nobody knows, what folders are called need not be a class.
    if not folder.is_dir() or has_tables(source):
        return False
    return len(_classes(folder)) > 1 and not any(path.parent == folder for path in walk(folder))


def read(source: str) -> Listing:
    """Reads it. A class that is called normal, no finding or the like is none: its films have none of the findings."""
    folder = Path(source)
    classes = _classes(folder) if folder.is_dir() else {}
    findings = tuple(name for name in classes if _words(name) not in NO_FINDING)
    if len(classes) < 2 or not findings:
        raise UsageError(
            "a folder per class needs at least two folders with films, one of which names a finding",
            code="training-table",
        )
    films = [
        ListedFilm(
            path=path,
            name=path.relative_to(folder).as_posix(),
            labels={finding: PRESENT if finding == name else ABSENT for finding in findings},
        )
        for name, paths in classes.items()
        for path in paths
    ]
    note = "A film lies in one class and counts as free of the others."
    return Listing(LAYOUT.name, findings, tuple(films), notes=(note,) if len(findings) > 1 else ())


def _classes(folder: Path) -> dict[str, list[Path]]:
    found = {}
    for one in sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")):
        paths = list(walk(one))
        if paths:
            found[one.name] = paths
    return found


def _words(name: str) -> str:
    return " ".join(name.lower().replace("_", " ").replace("-", " ").split())


LAYOUT = Layout("folders", "a folder per class with its films", fits, read)
