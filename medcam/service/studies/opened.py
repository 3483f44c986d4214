"""A store with everything that belongs to it, opened together."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from medcam.core.errors import UsageError
from medcam.service.audit.key import AuditKeyError, Signer, key_path, make_signer, read_signer
from medcam.service.studies.address import StoreAddress, store_address
from medcam.service.studies.film_files import FilmFiles
from medcam.store import (
    GENESIS,
    AuditTrail,
    FilmStore,
    JobQueue,
    ReaderStore,
    ReviewStore,
    Store,
    TokenStore,
    Worklist,
    audit_head,
    open_store,
)


@dataclass(frozen=True, slots=True)
class OpenedStore:
    """A store and its parts.

    Args:
        address: Where it lies.
        store: The database.
        trail: Its audit trail.
        films: Studies, radiographs and explanations.
        readers: Who may sign in.
        reviews: What they answered.
        worklist: What is to be read.
        jobs: What is to be done in the background.
        tokens: Who may use the HTTP API.
        files: The films on disk.
    """

    address: StoreAddress
    store: Store = field(repr=False)
    trail: AuditTrail = field(repr=False)
    films: FilmStore = field(repr=False)
    readers: ReaderStore = field(repr=False)
    reviews: ReviewStore = field(repr=False)
    worklist: Worklist = field(repr=False)
    jobs: JobQueue = field(repr=False)
    tokens: TokenStore = field(repr=False)
    files: FilmFiles = field(repr=False)

    def close(self) -> None:
        """Lets go of the database."""
        self.store.close()


@dataclass(frozen=True, slots=True)
class OpenedDatabase:
    """A store's database alone, for who reads its trail and has no key.

    Args:
        address: Where it lies.
        store: The database.
    """

    address: StoreAddress
    store: Store = field(repr=False)

    def events(self) -> int:
        """How many events the head of the trail counts."""
        head = audit_head(self.store)
        return head[0] if head else 0


@contextmanager
def open_database(named: str | os.PathLike[str] | None = None) -> Iterator[OpenedDatabase]:
    """Opens the database of a store that is there, and lets go of it at the end; errors as `open_studies`."""
    address = store_address(named)
    _make_folder(address, make=False)
    store = open_store(address.url)
    try:
        yield OpenedDatabase(address, store)
    finally:
        store.close()


@contextmanager
def opened_store(named: str | os.PathLike[str] | None = None, *, make: bool = True) -> Iterator[OpenedStore]:
    """Opens a store, and lets go of it at the end; arguments and errors as `open_studies`."""
    opened = open_studies(named, make=make)
    try:
        yield opened
    finally:
        opened.close()


def open_studies(named: str | os.PathLike[str] | None = None, *, make: bool = True) -> OpenedStore:
    """Opens a store.

    Args:
        named: A folder or a URL; see `store_address`. None for the one in the user's data folder.
        make: Whether one that is not there is made.

    Raises:
        UsageError: It is not there and not to be made (code `no-store`), or its name is none (`store-address`).
        StoreError: The database cannot be used.
        AuditKeyError: The trail has events, and the key that signed them is not there (`no-audit-key`).
    """
    address = store_address(named)
    _make_folder(address, make=make)
    store = open_store(address.url)
    try:
        trail = AuditTrail(store, _signer(store).sign)
    except BaseException:
        store.close()
        raise
    return OpenedStore(
        address=address,
        store=store,
        trail=trail,
        films=FilmStore(store, trail),
        readers=ReaderStore(store, trail),
        reviews=ReviewStore(store, trail),
        worklist=Worklist(store),
        jobs=JobQueue(store),
        tokens=TokenStore(store, trail),
        files=FilmFiles(address.films),
    )


def _signer(store: Store) -> Signer:
    path = key_path()
    try:
        return read_signer(path)
    except AuditKeyError as error:
        # A new key beside old events would leave a trail that nobody can verify.
        if error.code != "no-audit-key" or audit_head(store) not in (None, (0, GENESIS)):
            raise
        return make_signer(path)


def _make_folder(address: StoreAddress, *, make: bool) -> None:
    if address.file is None:
        return
    if not make and not address.file.is_file():
        raise UsageError(
            f"there is no store at {address.label}",
            code="no-store",
            next_step="Fill one: `medcam annotate SOURCE --out DIR --store STORE`, or run `medcam demo`.",
        )
    try:
        address.file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"the folder of the store cannot be made ({error.strerror or type(error).__name__})", code="store-address"
        ) from error
