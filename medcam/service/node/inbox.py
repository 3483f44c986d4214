"""Keeps what is received so that nothing acknowledged can be lost: on the disk, named by digests, once."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from medcam.core.errors import MedcamError
from medcam.core.radiograph import Identity
from medcam.dicom.network.received import ReceivedObject
from medcam.dicom.network.scp import OutOfResourcesError
from medcam.service.node.data_folder import DataFolder
from medcam.service.node.room import Room

_NAME = re.compile(r"(?P<instance>[0-9a-f]{16})-(?P<number>[0-9]{3,})-(?P<digest>[0-9a-f]{64})\.dcm")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class InboxError(MedcamError):
    """The disk does not take what was received."""

    default_code = "inbox-failed"
    default_next_step = "Check the disk of --data; the sender may send the object again."


@dataclass(frozen=True, slots=True)
class Kept:
    """A received object on the disk.

    Args:
        path: Where.
        study: The study's folder name.
        new: Whether it was not there before.
    """

    path: Path
    study: str
    new: bool


@dataclass(frozen=True, slots=True)
class InboxFile:
    """What a file's name says.

    Args:
        path: The file.
        instance: Digest of the SOP Instance UID, 16 hexadecimal digits.
        digest: SHA-256 of its bytes.
    """

    path: Path
    instance: str
    digest: str

    def is_whole(self) -> bool:
        """Whether the bytes are those that were received."""
        try:
            with self.path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == self.digest
        except OSError:
            return False


class Inbox:
    """The received objects of a node. Methods may be called from several threads.

    A file is inbox/<study>/<instance>-<number>-<digest>.dcm: digests of the UIDs, the order in which different objects
    of one UID came, and SHA-256 of the file. The first one comes first wherever the folder is listed.

    Args:
        folder: The data folder.
        room: What may still be kept.
    """

    def __init__(self, folder: DataFolder, room: Room) -> None:
        self._folder, self._room = folder, room
        self._lock = threading.Lock()

    def keep(self, received: ReceivedObject, then: Callable[[str], None]) -> Kept:
        """Keeps an object. When this returns, file and name are on the disk.

        The same bytes again are kept once; other bytes under the same UID are kept beside the first ones.

        Args:
            received: The object.
            then: Called with the study's folder name once the object is kept, before anybody can take it for finished.

        Raises:
            OutOfResourcesError: Quota or disk are used up.
            InboxError: The disk fails otherwise.
            MedcamError: What `then` raises; the object stays.
        """
        header = received.file_header()
        digest = hashlib.sha256(header)
        digest.update(received.data)
        study = Identity.folder_name(received.study_instance_uid or f"study of {received.sop_instance_uid}")
        instance = Identity.folder_name(received.sop_instance_uid)
        with _converting():
            with self._lock:
                kept = self._found(study, instance, digest.hexdigest())
                if kept is not None:
                    then(study)
                    return kept
            return self._write(study, instance, digest.hexdigest(), (header, received.data), then)

    def studies(self) -> list[str]:
        """Folder names of all studies."""
        return sorted(entry.name for entry in self._folder.inbox.iterdir() if entry.is_dir())

    def study_folder(self, study: str) -> Path:
        """Where a study's objects are."""
        return self._folder.inbox / study

    def files(self) -> Iterator[InboxFile]:
        """All objects, by study and in the order of their names."""
        for study in self.studies():
            for path in sorted(self.study_folder(study).iterdir()):
                match = _NAME.fullmatch(path.name)
                if match:
                    yield InboxFile(path, match["instance"], match["digest"])

    @contextmanager
    def nothing_arrives(self) -> Iterator[None]:
        """Inside, no object gets its name: what looks finished stays so."""
        with self._lock:
            yield

    def _found(self, study: str, instance: str, digest: str) -> Kept | None:
        path = next(self.study_folder(study).glob(f"{instance}-*-{digest}.dcm"), None)
        if path is None:
            return None
        _sync_folder(path.parent)  # whoever renamed it may have been killed before that
        return Kept(path, study, new=False)

    def _write(
        self,
        study: str,
        instance: str,
        digest: str,
        content: Sequence[bytes | memoryview],
        then: Callable[[str], None],
    ) -> Kept:
        size = sum(map(len, content))
        self._room.take(size)
        part = self._folder.parts / uuid.uuid4().hex
        try:
            with part.open("xb") as file:
                for piece in content:
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            with self._lock:
                # It may have come over two associations at once.
                kept = self._found(study, instance, digest) or self._named(part, study, instance, digest)
                then(study)
                return kept
        finally:
            if part.exists():
                self._room.give_back(size)
                part.unlink()

    def _named(self, part: Path, study: str, instance: str, digest: str) -> Kept:
        """Gives a written file its name; under the lock, so that numbers are given once."""
        folder = self.study_folder(study)
        if not folder.is_dir():
            folder.mkdir()
            _sync_folder(folder.parent)
        number = len(list(folder.glob(f"{instance}-*.dcm")))
        path = folder / f"{instance}-{number:03d}-{digest}.dcm"
        part.rename(path)
        _sync_folder(folder)
        return Kept(path, study, new=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _converting() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise OutOfResourcesError("the disk for received objects is full") from error
        raise InboxError(f"a received object cannot be written ({error.strerror or type(error).__name__})") from error
