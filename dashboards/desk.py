"""The store that this server shows, opened once, and who is admitted to it."""

from __future__ import annotations

import os
import threading
from collections.abc import Collection
from dataclasses import dataclass, field

from access import IDENTITY, FilmBytes, Identity
from access import Reader as GateReader
from medcam.core.errors import InputError, InvalidValueError
from medcam.core.reader import Reader, Role
from medcam.service.audit.events import note
from medcam.service.review_settings import STORE_VARIABLE
from medcam.service.studies.opened import OpenedStore, open_studies
from medcam.service.submissions.box import SubmissionBox
from medcam.service.submissions.held_films import HeldFilms
from medcam.service.submissions.submission import Submission

LOCAL = "local"
OWN = "own-"
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


def submissions(opened: OpenedStore) -> SubmissionBox:
    """What readers have handed in to a store."""
    return SubmissionBox.of(opened.address, opened.jobs)


def own_id(submission: Submission) -> str:
    """How addresses name a submission where studies have their id."""
    return f"{OWN}{submission.id}"


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


def may_open(opened: OpenedStore, reader: Reader, study: str) -> bool:
    """Whether a reader may see a study that is there: an assigned one, or any where they are an auditor."""
    if reader.has(Role.AUDITOR):
        return opened.films.study(study) is not None
    return reader.has(Role.READER) and opened.readers.may_read(reader, study)


def may_open_of(opened: OpenedStore, reader: Reader, studies: Collection[str]) -> frozenset[str]:
    """Which of some studies a reader may see; as `may_open`, with one question for all of them."""
    if reader.has(Role.AUDITOR):
        return opened.films.known(studies)
    return opened.readers.may_read_of(reader, studies) if reader.has(Role.READER) else frozenset()


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
        """Whether a reader may see a study, or what they have handed in themselves ("own-" and the submission's id)."""
        assert isinstance(reader, DeskReader)
        if study.startswith(OWN):
            return self._owns(reader.reader, study.removeprefix(OWN))
        return may_open(self._opened, reader.reader, study)

    def load_film(self, study: str, digest: str) -> FilmBytes | None:
        """The packed pixels of a film of a study, or of a submission, by the digest of its DICOM file."""
        if study.startswith(OWN):
            return self._load_own(study.removeprefix(OWN), digest)
        if not any(film.sha256 == digest for film in self._opened.films.films(study)):
            return None
        try:
            data = self._opened.files.pixels(digest)
        except (InputError, InvalidValueError):
            return None
        # Sent as they are: the viewer undoes the packing itself, and can say so when they are damaged.
        return FilmBytes(data, encoding=IDENTITY)

    def _owns(self, reader: Reader, submission: str) -> bool:
        try:
            submissions(self._opened).find(submission, reader.label)
        except InputError:
            return False
        return True

    def _load_own(self, submission: str, digest: str) -> FilmBytes | None:
        box = submissions(self._opened)
        try:
            return FilmBytes(HeldFilms(box.folder_of(submission).films).pixels(digest), encoding=IDENTITY)
        except (InputError, InvalidValueError):
            return None

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
