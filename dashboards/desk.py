"""The store that this server shows, opened once, and who is admitted to it."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field

from access import IDENTITY, FilmBytes, Identity
from access import Reader as GateReader
from medcam.core.errors import InputError, InvalidValueError
from medcam.core.reader import Reader, Role
from medcam.service.audit.events import note
from medcam.service.review import STORE_VARIABLE
from medcam.service.studies.opened import OpenedStore, open_studies

LOCAL = "local"
_LOCK = threading.Lock()
_OPENED: list[OpenedStore] = []


def opened_desk() -> OpenedStore:
    """The store that this server shows.

    Raises:
        MedcamError: It is not there, or cannot be opened.
    """
    with _LOCK:
        if not _OPENED:
            _OPENED.append(open_studies(os.environ.get(STORE_VARIABLE), make=False))
        return _OPENED[0]


@dataclass(frozen=True, slots=True)
class DeskReader:
    """A reader as the gate knows them.

    Args:
        reader: The reader of the store.
    """

    reader: Reader = field(repr=False)

    @property
    def id(self) -> str:
        """Their number in the store."""
        return str(self.reader.id)

    @property
    def name(self) -> str:
        """What they are called."""
        return self.reader.name

    @property
    def roles(self) -> frozenset[str]:
        """What they may do."""
        return frozenset(str(role) for role in self.reader.roles)


class StoreAccess:
    """Who is admitted, by the readers of the store. The user of this computer is always a reader of it, with all roles.

    Args:
        opened: The store.
    """

    def __init__(self, opened: OpenedStore) -> None:
        self._opened = opened

    def admit(self, identity: Identity) -> DeskReader | None:
        """The reader of an identity; None where the store knows none, or shut them out."""
        reader = self._opened.readers.find(identity.issuer, identity.subject)
        if reader is None and identity.issuer == LOCAL:
            name = identity.name or identity.subject
            reader = self._opened.readers.set(
                LOCAL, identity.subject, name=name, roles=list(Role), everything=True, by=f"{identity.subject}@{LOCAL}"
            )
        return DeskReader(reader) if reader is not None and reader.active else None

    def may_open(self, reader: GateReader, study: str) -> bool:
        """Whether a reader may see a study that is there: an assigned one, or any where they are an auditor."""
        assert isinstance(reader, DeskReader)
        known = reader.reader
        if known.has(Role.AUDITOR):
            return self._opened.films.study(study) is not None
        return known.has(Role.READER) and self._opened.readers.may_read(known, study)

    def load_film(self, study: str, digest: str) -> FilmBytes | None:
        """The packed pixels of a film of a study by the digest of its DICOM file."""
        if not any(film.sha256 == digest for film in self._opened.films.films(study)):
            return None
        try:
            data = self._opened.files.pixels(digest)
        except (InputError, InvalidValueError):
            return None
        # Sent as they are: the viewer undoes the packing itself, and can say so when they are damaged.
        return FilmBytes(data, encoding=IDENTITY)

    def note_login(self, identity: Identity) -> None:
        """Notes in the trail that a session began."""
        self._note("login", identity, {})

    def note_end(self, identity: Identity, why: str) -> None:
        """Notes in the trail that a session ended."""
        self._note("session-ended", identity, {"why": why})

    def note_refused(self, identity: Identity | None, path: str, why: str) -> None:
        """Notes in the trail that something was refused to somebody who is known."""
        if identity is not None:
            self._note("refused", identity, {"path": path[:200], "why": why})

    def _note(self, kind: str, identity: Identity, body: dict[str, str]) -> None:
        note(self._opened, kind, f"{identity.subject}@{identity.issuer}", body)
