"""Finds the files that a call names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from medcam.core.errors import UsageError


def find_sources(paths: Iterable[Path | str]) -> Iterator[Path]:
    """Files of files and folders, folders with everything below them, in a stable order.

    Every file comes once, however often it is named or linked. Nothing is opened here: what is no DICOM is found out
    when it is read. A folder that cannot be listed and a link that leads nowhere come out as themselves, so that
    reading them says what is wrong instead of their being forgotten.

    Args:
        paths: Files and folders.

    Yields:
        Paths, those of a folder sorted by name, files before subfolders.

    Raises:
        UsageError: A path does not exist (code `no-such-source`). All are checked before the first file is yielded.
    """
    roots = [Path(path) for path in paths]
    for root in roots:
        if not root.exists() and not root.is_symlink():
            raise UsageError(f"there is no file or folder {root}", code="no-such-source", next_step="Check the path.")
    seen: set[str] = set()
    for root in roots:
        yield from _below(root, seen)


def _below(root: Path, seen: set[str]) -> Iterator[Path]:
    pending = [root]
    while pending:
        path = pending.pop()
        real = os.path.realpath(path)  # pathlib's resolve raises on a loop of links
        if real in seen:
            continue
        seen.add(real)
        if not path.is_dir():
            yield path
            continue
        try:
            entries = sorted(path.iterdir(), key=lambda entry: (entry.is_dir(), entry.name))
        except OSError:
            yield path
            continue
        pending.extend(reversed(entries))
