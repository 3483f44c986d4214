"""The layout of torch.save since PyTorch 1.6: a ZIP archive of a pickle and one stored member per storage."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, cast

from medcam.models.published.allowed import STORAGES
from medcam.models.published.bounded import BoundedFile
from medcam.models.published.pickle_reader import MOST_BYTES, read_pickle
from medcam.models.published.refusals import broken, too_large, unknown, unsafe
from medcam.models.published.tensors import storage_of
from medcam.models.published.values import Storage

MAGIC = b"PK\x03\x04"
MOST_MEMBERS = 20_000
MOST_DIRECTORY = 8 * 2**20
"""Bytes of the archive's table of contents; it is read in one piece."""

_KEY = re.compile(r"[0-9]{1,9}")
_PICKLE = "data.pkl"
_ENCRYPTED = 0x1
_DAMAGE = (zipfile.BadZipFile, EOFError, OSError, RuntimeError, NotImplementedError, ValueError, KeyError)


class ZipCheckpoint:
    """An open checkpoint. Use it as a context manager.

    Args:
        path: The file.

    Raises:
        ModelError: The archive is damaged, compressed, encrypted or larger inside than outside.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        try:
            bounded = BoundedFile(self._file, MOST_DIRECTORY)
            self._archive = zipfile.ZipFile(cast("BinaryIO", bounded))
            self._members = _checked(self._archive, bounded.size)
            self._prefix = _prefix(self._members)
            self._check_order()
        except _DAMAGE as error:
            self._file.close()
            raise broken("it is no sound ZIP archive") from error
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> ZipCheckpoint:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._archive.close()
        self._file.close()

    def root(self) -> object:
        """What was saved, in inert values."""
        member = self._members[self._prefix + _PICKLE]
        if member.file_size > MOST_BYTES:
            raise too_large("its description is too long")
        with self._open(member) as file:
            return read_pickle(BoundedFile(file, MOST_BYTES), _persistent)

    def read(self, storage: Storage) -> bytearray:
        """The bytes of a storage.

        Raises:
            ModelError: There is no such storage, or it has another size.
        """
        member = self._members.get(f"{self._prefix}data/{storage.key}")
        if member is None or not _KEY.fullmatch(storage.key):
            raise broken(f"storage {storage.key[:20]!r} is missing")
        if member.file_size != storage.elements * STORAGES[storage.kind].itemsize:
            raise broken(f"storage {storage.key} has another size than it is said to have")
        return bytearray(self._bytes(member))

    def _open(self, member: zipfile.ZipInfo) -> BinaryIO:
        return io.BytesIO(self._bytes(member))

    def _bytes(self, member: zipfile.ZipInfo) -> bytes:
        made = bytearray()
        try:
            with self._archive.open(member) as file:
                while part := file.read(2**20):
                    made += part
        except _DAMAGE as error:
            raise broken("a member of the archive cannot be read") from error
        return bytes(made)

    def _check_order(self) -> None:
        member = self._members.get(self._prefix + "byteorder")
        if member is not None and self._bytes(member) != b"little":
            raise unknown("its numbers are not little-endian")


def _persistent(identity: object) -> object:
    if type(identity) is tuple:
        return storage_of(identity)
    raise unsafe("a persistent id that names no storage")


def _checked(archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise too_large(f"{len(members)} members")
    if any(member.compress_type != zipfile.ZIP_STORED or member.flag_bits & _ENCRYPTED for member in members):
        raise unsafe("a member of the archive is compressed or encrypted, which torch.save never does")
    if sum(member.file_size for member in members) > size:
        raise unsafe("the archive is larger inside than outside")
    by_name = {member.filename: member for member in members}
    if len(by_name) != len(members):
        raise unsafe("two members of the archive have the same name")
    return by_name


def _prefix(members: dict[str, zipfile.ZipInfo]) -> str:
    found = [name.removesuffix(_PICKLE) for name in members if name.rpartition("/")[2] == _PICKLE]
    if len(found) != 1:
        raise unknown("the archive has no data.pkl, or several")
    if found[0] + "constants.pkl" in members:
        raise unknown("it is a TorchScript archive, which holds code")
    return found[0]
