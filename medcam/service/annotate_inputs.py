"""The files that a call of `annotate` names, and how records name them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from medcam.core.errors import UsageError
from medcam.dicom import find_sources


@dataclass(frozen=True, slots=True)
class InputFile:
    """One input.

    Args:
        path: Where it lies.
        source: What records call it: its path relative to the SOURCE argument that led to it, never an absolute path.
            Where several SOURCEs are given, the name of that SOURCE comes first. Printable whatever the file's name.
    """

    path: Path
    source: str


def find_inputs(sources: Sequence[Path | str], out: Path) -> list[InputFile]:
    """All files of a call, each once, in a stable order. Results of an earlier run in `out` are no inputs.

    Args:
        sources: Files and folders.
        out: Where results go.

    Raises:
        UsageError: No source was given, one does not exist (code `no-such-source`), or one is the output folder itself
            (code `source-is-output`).
    """
    roots = [Path(source) for source in sources]
    if not roots:
        raise UsageError("there is nothing to annotate", next_step="Name files or folders.")
    output = Path(os.path.realpath(out))
    real = [Path(os.path.realpath(root)) for root in roots]
    if output in real:
        raise UsageError(
            "the output folder is one of the sources: its results would become inputs",
            code="source-is-output",
            next_step="Choose another folder for --out.",
        )
    # Where the output folder lies above a source, the source is still what was asked for.
    inner = [root for root, target in zip(roots, real, strict=True) if output not in target.parents]
    names = _root_names(roots)
    found = []
    for path in find_sources(roots):
        # The longest one, since "." is textually above "../films" too.
        root = max((root for root in roots if path == root or root in path.parents), key=lambda root: len(root.parts))
        if root in inner and output in Path(os.path.realpath(path)).parents:
            continue
        found.append(InputFile(path, _source_name(path, root, names[root])))
    return found


def _root_names(roots: Sequence[Path]) -> dict[Path, str]:
    """What stands before a file's relative path: nothing for a single folder, else the SOURCE's name, made unique."""
    if len(roots) == 1 and roots[0].is_dir():
        return {roots[0]: ""}
    names: dict[Path, str] = {}
    for number, root in enumerate(roots, start=1):
        name = root.name or Path(os.path.realpath(root)).name or "source"
        names.setdefault(root, f"{name} ({number})" if name in names.values() else name)
    return names


def _source_name(path: Path, root: Path, root_name: str) -> str:
    relative = path.relative_to(root).as_posix() if path != root else ""
    name = "/".join(part for part in (root_name, relative) if part) or "."
    return name.encode("utf-8", "backslashreplace").decode("utf-8")
