"""The inputs that a call of `annotate` names, files or images of a DICOMweb service, and how records name them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path, PurePosixPath
from typing import Protocol

from medcam.core.errors import InputError, UsageError
from medcam.dicom import find_sources
from medcam.dicom.archives import is_archive, open_archive, read_member
from medcam.dicom.media import is_dicomdir, media_files
from medcam.dicom.network.destination import is_web
from medcam.dicom.network.query import WebQuery, parse_query
from medcam.dicom.network.security import Security
from medcam.dicom.read import file_bytes
from medcam.service.annotate.quarantine import QUARANTINE_NAME


class Input(Protocol):
    """One input, wherever it lies."""

    @property
    def source(self) -> str:
        """What records call it; unique within a run, without patient data of its own."""

    @property
    def name(self) -> str:
        """A file's name for it, whose suffix may claim that it is DICOM."""

    def read(self) -> bytes:
        """Its bytes, unparsed; raises InputError where they cannot be had."""


@dataclass(frozen=True, slots=True)
class InputFile:
    """An input on disk.

    Args:
        path: Where it lies.
        source: What records call it: its path relative to the SOURCE argument that led to it, never an absolute path.
            Where several SOURCEs are given, the name of that SOURCE comes first. Printable whatever the file's name.
        member: Name of the member where `path` is an archive; empty for a plain file.
    """

    path: Path
    source: str
    member: str = ""

    @property
    def name(self) -> str:
        """The file's own name, whose suffix may claim that it is DICOM."""
        return self.member or self.path.name

    def read(self) -> bytes:
        """The bytes of the file, unparsed.

        Raises:
            InputError: They cannot be had.
        """
        return read_member(self.path, self.member) if is_archive(self.path) else file_bytes(self.path)


def plain_path(file: Input) -> Path | None:
    """Where an input lies as a file of its own; None for what is in an archive or comes from a network."""
    if isinstance(file, InputFile) and not is_archive(file.path):
        return file.path
    return None


def find_inputs(sources: Sequence[Path | str], out: Path, security: Security | None = None) -> list[Input]:
    """All inputs of a call, each once, in a stable order. Results of an earlier run in `out` are no inputs.

    Args:
        sources: Files, folders, archives and DICOMDIRs; archives are looked for below folders too. Texts that begin
            with dicomweb:// or dicomwebs:// are searched for now and fetched when they are read.
        out: Where results go.
        security: How a DICOMweb service is called.

    Raises:
        UsageError: No source was given, one does not exist (code `no-such-source`), one is the output folder itself
            (code `source-is-output`), or a search cannot be made as it is written.
        MedcamError: A DICOMweb service cannot be searched.
    """
    if not sources:
        raise UsageError("there is nothing to annotate", next_step="Name files or folders.")
    services = [source for source in sources if isinstance(source, str) and is_web(source)]
    queries = [parse_query(service) for service in services]
    files = _find_files([Path(source) for source in sources if source not in services], out)
    return [*files, *_in_services(queries, security or Security())]


def _find_files(named: Sequence[Path], out: Path) -> Iterator[InputFile]:
    media = [path for path in named if is_dicomdir(path) and path.is_file()]
    files = [*_on_media(media), *_below([path for path in named if path not in media], out)]
    once = {os.path.realpath(file.path): file for file in reversed(files)}
    kept = [file for file in files if once[os.path.realpath(file.path)] is file]
    for file in kept:
        yield from (each for each in _unfolded(file) if not _is_empty_list(each))


def _is_empty_list(file: InputFile) -> bool:
    """Whether it is the empty list of refused inputs of a run whose output is now a source: no film was lost."""
    if PurePosixPath(file.name).name != QUARANTINE_NAME:
        return False
    if file.member:
        return open_archive(file.path).size(file.member) == 0
    return file.path.is_file() and file.path.stat().st_size == 0


def _in_services(queries: Sequence[WebQuery], security: Security) -> Iterator[Input]:
    """What searches find; the same image by two searches is one input, whatever services they asked."""
    if not queries:
        return
    from medcam.dicom.network.web_source import find_instances  # needs an HTTP library, which files do not

    seen = set()
    for query in queries:
        for instance in find_instances(query, security):
            if instance.source not in seen:
                seen.add(instance.source)
                yield instance


def _on_media(directories: Sequence[Path]) -> Iterator[InputFile]:
    """What DICOMDIRs name. What their medium lacks comes out too: reading it says that it cannot be read."""
    for directory in directories:
        for path in media_files(directory):
            yield InputFile(path, _printable(path.relative_to(directory.parent).as_posix()))


def _below(roots: Sequence[Path], out: Path) -> Iterator[InputFile]:
    """Files and everything below folders, without what an earlier run wrote to `out`."""
    output = Path(os.path.realpath(out))
    real = [Path(os.path.realpath(root)) for root in roots]
    if output in real:
        raise UsageError(
            "the output folder is one of the sources: its results would become inputs",
            code="source-is-output",
            next_step="Choose another folder for --out.",
        )
    # Where the output folder lies above a source, the source is still what was asked for.
    inner = {root for root, target in zip(roots, real, strict=True) if output not in target.parents}
    names = _root_names(roots)
    for path in find_sources(roots):
        # The longest one, since "." is textually above "../films" too; looked up, since a shell names every file of a
        # folder as a source of its own, and there may be thousands.
        root = next(above for above in (path, *path.parents) if above in names)
        if root in inner and output in Path(os.path.realpath(path)).parents:
            continue
        yield InputFile(path, _source_name(path, root, names[root]))


def _unfolded(file: InputFile) -> Iterator[InputFile]:
    """The members of an archive; the file itself where it is none, or where the archive cannot be opened."""
    if not is_archive(file.path):
        yield file
        return
    try:
        members = open_archive(file.path).names()
    except InputError:  # reading it says what is wrong with it
        yield file
        return
    for member in members:
        name = "/".join(part for part in member.split("/") if part not in ("", ".", ".."))
        yield InputFile(file.path, f"{file.source}/{_printable(name)}", member)


def _root_names(roots: Sequence[Path]) -> dict[Path, str]:
    """What stands before a file's relative path: nothing for a single folder, else the SOURCE's name, made unique."""
    if len(roots) == 1 and roots[0].is_dir():
        return {roots[0]: ""}
    names: dict[Path, str] = {}
    taken: set[str] = set()
    for place, root in enumerate(roots, start=1):
        if root not in names:
            plain = root.name or Path(os.path.realpath(root)).name or "source"
            numbered = (f"{plain} ({number})" for number in count(place))
            names[root] = next(name for name in chain((plain,), numbered) if name not in taken)
            taken.add(names[root])
    return names


def _source_name(path: Path, root: Path, root_name: str) -> str:
    relative = path.relative_to(root).as_posix() if path != root else ""
    name = "/".join(part for part in (root_name, relative) if part) or "."
    return _printable(name)


def _printable(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode("utf-8")
