"""Reads the members of ZIP and tar archives in place: nothing is unpacked under a name that an archive chose."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import tempfile
import threading
import weakref
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from medcam.core.errors import InputError

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
MOST_MEMBERS = 200_000
LARGEST_MEMBER = 1 << 30
"""Bytes that one member may hold once it is unpacked."""
LARGEST_RATIO = 1000
"""Deflate reaches 1032 at best, on zeros alone: what comes near it is no radiograph."""
HARMLESS = 32 << 20
"""Below so many bytes a member may be packed as tightly as it likes."""
LARGEST_TAR = 64 << 30
"""Bytes of a compressed tar archive once it is unpacked into a temporary file."""

_BLOCK = 1 << 20
_KEPT_OPEN = 8
_BROKEN = (OSError, EOFError, RuntimeError, ValueError, NotImplementedError, zlib.error, lzma.LZMAError)


class Archive(Protocol):
    """Members by name. `read` may be called from several threads."""

    def names(self) -> tuple[str, ...]:
        """Names of the regular files, as the archive has them, in a stable order."""
        ...

    def size(self, name: str) -> int:
        """Bytes of a member once it is unpacked, as the archive tells them."""
        ...

    def read(self, name: str) -> bytes:
        """The bytes of a member."""
        ...


def is_archive(path: Path) -> bool:
    """Whether a file's name says that it is an archive."""
    return path.name.lower().endswith(SUFFIXES)


def open_archive(path: Path) -> Archive:
    """Opens an archive, or gives the one that is open already.

    Args:
        path: A ZIP or tar file, the latter plain or compressed by gzip, bzip2 or xz.

    Raises:
        InputError: It is no archive, damaged (code `broken-archive`), or larger than any set of studies should be
            (code `archive-too-large`).
    """
    return _OPEN.get(path)


def read_member(path: Path, name: str) -> bytes:
    """The bytes of one member.

    Raises:
        InputError: The archive or the member is damaged (`broken-archive`), encrypted (`encrypted-archive`), or too
            large once it is unpacked (`archive-too-large`).
    """
    return open_archive(path).read(name)


@contextmanager
def _converting() -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except (zipfile.BadZipFile, tarfile.TarError, KeyError, *_BROKEN) as error:
        raise InputError(
            f"the archive cannot be read ({type(error).__name__})",
            code="broken-archive",
            next_step="Send the archive again, or unpack it and name the folder.",
        ) from error


def _too_large(what: str) -> InputError:
    return InputError(
        f"the archive {what}",
        code="archive-too-large",
        next_step="If it is what it claims to be, unpack it and name the folder.",
    )


class _Zip:
    """A ZIP archive. Python's reader shares one file among threads under a lock of its own."""

    def __init__(self, path: Path) -> None:
        self._file = zipfile.ZipFile(path)
        weakref.finalize(self, self._file.close)
        self._members = {info.filename: info for info in self._file.infolist() if not info.is_dir()}
        if len(self._members) > MOST_MEMBERS:
            raise _too_large(f"has more than {MOST_MEMBERS} members")

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._members))

    def size(self, name: str) -> int:
        return self._members[name].file_size

    def read(self, name: str) -> bytes:
        with _converting():
            info = self._members[name]
            if info.flag_bits & 0x1:
                raise InputError(
                    "the archive is encrypted",
                    code="encrypted-archive",
                    next_step="Unpack it with its password and name the folder.",
                )
            ratio = info.file_size / max(info.compress_size, 1)
            if info.file_size > LARGEST_MEMBER or (info.file_size > HARMLESS and ratio > LARGEST_RATIO):
                raise _too_large("unpacks to far more than a radiograph")
            with self._file.open(info) as member:
                return _limited(member, info.file_size)


@dataclass(frozen=True, slots=True)
class _Place:
    offset: int
    size: int


class _Tar:
    """A tar archive: its members' places are found once, each read opens the file anew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        if not _is_plain(path):
            spool = _unpacked(path)
            # The temporary file lives as long as this archive, whoever still reads from it.
            weakref.finalize(self, spool.close)
            self._path = Path(spool.name)
        self._members: dict[str, _Place] = {}
        end = 0
        with tarfile.open(self._path, "r:") as tar:
            for info in tar:
                size = info.size if info.isreg() else 0
                end = info.offset_data + -(-size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
                if info.isreg():
                    self._members[info.name] = _Place(info.offset_data, size)
                if len(self._members) > MOST_MEMBERS:
                    raise _too_large(f"has more than {MOST_MEMBERS} members")
        self._refuse_cut(end)

    def _refuse_cut(self, end: int) -> None:
        """Python's reader takes a cut in a header for the end; an archive that is whole ends in a block of zeros."""
        with self._path.open("rb") as file:
            file.seek(end)
            if file.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
                raise EOFError

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._members))

    def size(self, name: str) -> int:
        return self._members[name].size

    def read(self, name: str) -> bytes:
        with _converting():
            place = self._members[name]
            if place.size > LARGEST_MEMBER:
                raise _too_large("holds a member of more than 1 GiB")
            with self._path.open("rb") as file:
                file.seek(place.offset)
                data = file.read(place.size)
            if len(data) < place.size:
                raise EOFError
            return data


def _limited(member: IO[bytes], expected: int) -> bytes:
    """A member's bytes; an archive that understates a size is damaged."""
    data = member.read(expected + 1)
    if len(data) != expected:
        raise EOFError
    return data


def _is_plain(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(512)
    return head[257:262] == b"ustar" or not head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ"))


def _unpacked(path: Path) -> IO[bytes]:
    """A compressed tar archive as a plain one in a temporary file that vanishes with its handle."""
    with path.open("rb") as file:
        head = file.read(6)
    kind = gzip.open if head.startswith(b"\x1f\x8b") else bz2.open if head.startswith(b"BZh") else lzma.open
    limit = min(LARGEST_TAR, max(HARMLESS, LARGEST_RATIO * path.stat().st_size))
    spool = tempfile.NamedTemporaryFile(prefix="medcam-tar-")  # noqa: SIM115 - lives as long as its archive
    try:
        with kind(path, "rb") as opened:
            _copy(opened, spool, limit)
    except BaseException:
        spool.close()
        raise
    return spool


def _copy(source: gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile, target: IO[bytes], limit: int) -> None:
    while block := source.read(_BLOCK):
        target.write(block)
        if target.tell() > limit:
            raise _too_large("unpacks to far more than studies do")
    target.flush()


@dataclass(eq=False)
class _OpenArchives:
    """The archives used last stay open, so that their members' places are found once."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    archives: OrderedDict[tuple[Path, int, int], Archive] = field(default_factory=OrderedDict)

    def get(self, path: Path) -> Archive:
        with self.lock, _converting():
            state = path.stat()
            key = (path, state.st_mtime_ns, state.st_size)
            if key not in self.archives:
                self.archives[key] = _Zip(path) if zipfile.is_zipfile(path) else _Tar(path)
                while len(self.archives) > _KEPT_OPEN:
                    self.archives.popitem(last=False)
            self.archives.move_to_end(key)
            return self.archives[key]


_OPEN = _OpenArchives()
