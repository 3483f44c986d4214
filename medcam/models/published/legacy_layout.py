"""The layout of torch.save before PyTorch 1.6: a run of pickles, then the numbers of each storage."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from medcam.core.inert_pickle import Name
from medcam.models.published.allowed import MODULES, STORAGES
from medcam.models.published.bounded import BoundedFile
from medcam.models.published.pickle_reader import MOST_BYTES, no_persistent, read_pickle
from medcam.models.published.refusals import broken, unknown, unsafe
from medcam.models.published.tensors import storage_of
from medcam.models.published.values import Storage

MAGIC = 0x1950A86A20F9469CFC6C
MAGIC_BYTES = MAGIC.to_bytes(10, "little")
PROTOCOL = 1001
_MOST_STORAGES = 20_000


class LegacyCheckpoint:
    """An open checkpoint. Use it as a context manager.

    Args:
        path: The file.

    Raises:
        ModelError: It is damaged, of another layout, or asks for more than tensors.
    """

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("rb")
        self._storages: dict[str, Storage] = {}
        self._places: dict[str, int] = {}
        try:
            self._root = self._read()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> LegacyCheckpoint:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def root(self) -> object:
        """What was saved, in inert values."""
        return self._root

    def read(self, storage: Storage) -> bytearray:
        """The bytes of a storage."""
        if self._storages.get(storage.key) != storage or storage.key not in self._places:
            raise broken(f"storage {storage.key[:20]!r} is missing")
        self._file.seek(self._places[storage.key])
        return bytearray(self._file.read(storage.elements * STORAGES[storage.kind].itemsize))

    def _read(self) -> object:
        file = BoundedFile(self._file, MOST_BYTES, MOST_BYTES)
        _skip_magic(file)
        if read_pickle(file, no_persistent) != PROTOCOL:
            raise unknown("it is of another version of the old layout")
        system = read_pickle(file, no_persistent)
        if type(system) is not dict or system.get("little_endian") is not True:
            raise unknown("its numbers are not little-endian")
        root = read_pickle(file, self._persistent)
        self._find(file, read_pickle(file, no_persistent))
        return root

    def _persistent(self, identity: object) -> object:
        if type(identity) is not tuple or not identity:
            raise unsafe("a persistent id of an unknown form")
        if identity[0] == "module" and len(identity) == 4:
            return _module(identity[1])
        if len(identity) == 6 and identity[5] is not None:
            raise unknown("its tensors are views in the way of PyTorch before 0.4")
        storage = storage_of(identity[:5])
        if self._storages.setdefault(storage.key, storage) != storage:
            raise broken("two storages have the same name")
        return storage

    def _find(self, file: BoundedFile, keys: object) -> None:
        """Notes where each storage lies: behind the pickles, in the order of the keys."""
        if type(keys) is not list or len(keys) > _MOST_STORAGES or any(type(key) is not str for key in keys):
            raise broken("the list of its storages cannot be read")
        if len(set(keys)) != len(keys) or set(keys) != set(self._storages):
            raise broken("the list of its storages is not that of its tensors")
        place = file.tell()
        for key in keys:
            storage = self._storages[key]
            self._file.seek(place)
            count = self._file.read(8)
            if len(count) != 8 or int.from_bytes(count, "little", signed=True) != storage.elements:
                raise broken(f"storage {key[:20]!r} has another size than it is said to have")
            self._places[key] = place + 8
            place += 8 + storage.elements * STORAGES[storage.kind].itemsize
            if place > file.size:
                raise broken("it ends too early")


def begins_like_legacy(head: bytes) -> bool:
    """Whether the first bytes of a file are those of this layout."""
    return head[:1] == b"\x80" and MAGIC_BYTES in head[:20]


def _skip_magic(file: BoundedFile) -> None:
    """The first pickle is one number of 80 bits, more than the reader takes elsewhere."""
    head = file.exactly(2)
    if head[:1] != b"\x80" or file.exactly(1) != b"\x8a" or file.exactly(1) != b"\x0a":
        raise unknown("it begins in another way")
    if file.exactly(10) != MAGIC_BYTES or file.exactly(1) != b".":
        raise unknown("it begins in another way")


def _module(kind: object) -> Name:
    """The class of ('module', class, source file, source text); the text is not looked at."""
    if isinstance(kind, Name) and kind in MODULES:
        return kind
    raise unsafe("a module of an unknown class")
