"""Inputs in object storage: one file each, found by listing what lies below a URL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from medcam.core.errors import InputError, UsageError
from medcam.dicom.archives import is_archive
from medcam.dicom.read import LARGEST_FILE
from medcam.service.annotate.quarantine import QUARANTINE_NAME
from medcam.service.cluster.settings import ClusterError
from medcam.service.cluster.storage import key_of, storage


@dataclass(frozen=True, slots=True)
class ObjectInput:
    """An object that may be a DICOM file.

    Args:
        url: Where it lies.
        source: What records call it: its path relative to the SOURCE that led to it.
        size: Bytes, as the listing tells them.
    """

    url: str
    source: str
    size: int

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.url.rpartition("/")[2]

    def read(self) -> bytes:
        """Its bytes, unparsed.

        Raises:
            InputError: They cannot be had (code `unreadable`), there are too many (`too-large`), or it is an archive
                (`archive-in-object-storage`).
        """
        if is_archive(Path(self.name)):
            raise InputError(
                "an archive in object storage is not opened: each of its members would be fetched with all others",
                code="archive-in-object-storage",
                next_step="Unpack it, and put its files there.",
            )
        if self.size > LARGEST_FILE:
            raise InputError("the object is too large", code="too-large")
        system, path = storage(self.url)
        try:
            return bytes(system.cat_file(path))
        except Exception as error:
            raise InputError(f"the object cannot be read ({key_of(error)})") from error


def find_objects(sources: Sequence[str], out: str) -> list[ObjectInput]:
    """All objects below URLs, each once, in the order in which the same tree on a disk is taken.

    Args:
        sources: URLs of objects, or of what lies above them.
        out: Where results go, a URL or a path; what lies there is no input.

    Raises:
        UsageError: There is nothing at a URL (code `no-such-source`), one is where results go (`source-is-output`), or
            the kind of storage is not known.
        ClusterError: The storage cannot be listed (code `storage-unreachable`).
    """
    names = _names(sources)
    found: dict[str, ObjectInput] = {}
    for source, name in zip(sources, names, strict=True):
        if source.rstrip("/") == out.rstrip("/"):
            raise UsageError(
                "the output is one of the sources: its results would become inputs",
                code="source-is-output",
                next_step="Choose another place for --out.",
            )
        for each in _below(source, name, alone=len(sources) == 1):
            if not each.url.startswith(out.rstrip("/") + "/"):
                found.setdefault(each.url, each)
    return list(found.values())


def _below(source: str, name: str, *, alone: bool) -> Iterator[ObjectInput]:
    system, root = storage(source)
    try:
        listed = system.find(root, detail=True)
    except Exception as error:
        raise ClusterError(
            f"{source} cannot be listed ({key_of(error)})",
            code="storage-unreachable",
            next_step="Check the URL, the endpoint and the credentials in the environment of this machine.",
        ) from error
    if not listed:
        raise UsageError(f"there is nothing at {source}", code="no-such-source", next_step="Check the URL.")
    scheme = source.partition("://")[0]
    for path in sorted(listed, key=lambda path: _order(path, root)):
        size, relative = int(listed[path].get("size") or 0), path.removeprefix(root).strip("/")
        if path.rpartition("/")[2] == QUARANTINE_NAME and not size:
            continue
        prefix = "" if alone and relative else name
        yield ObjectInput(f"{scheme}://{path.lstrip('/')}", "/".join(part for part in (prefix, relative) if part), size)


def _order(path: str, root: str) -> list[tuple[bool, str]]:
    """Files before what lies deeper, both by name, as `medcam.dicom.find_sources` takes them from a disk."""
    parts = path.removeprefix(root).strip("/").split("/")
    return [(depth < len(parts) - 1, part) for depth, part in enumerate(parts)]


def _names(sources: Sequence[str]) -> list[str]:
    """The last part of each URL, made unique."""
    names: list[str] = []
    for number, source in enumerate(sources, start=1):
        name = source.rstrip("/").rpartition("/")[2] or "source"
        names.append(f"{name} ({number})" if name in names else name)
    return names
