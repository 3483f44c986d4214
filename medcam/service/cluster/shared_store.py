"""The store of a run of many machines: each process writes what it explains, where all of them see the same store."""

from __future__ import annotations

import os
import socket
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from medcam.core.card import ModelCard
from medcam.core.errors import UsageError
from medcam.service.audit.key import key_path, read_signer
from medcam.service.cluster.run_mark import run_mark, this_machine
from medcam.service.cluster.settings import ClusterError
from medcam.service.studies.address import StoreAddress, store_address
from medcam.service.studies.keep import Keeper
from medcam.service.studies.opened import opened_store


@dataclass(frozen=True, slots=True)
class SharedStore:
    """What other processes are told of a store.

    Args:
        named: What names it on every machine; without a password.
        mark: Name of a file that lies in the folder of films while the run lasts.
        signer: The public half of the key that signs the audit trail.
        machine: Which machine alone may write it; empty for a database server.
    """

    named: str = field(repr=False)
    mark: str
    signer: str
    machine: str = ""

    def check(self) -> None:
        """Whether this process sees the store that the driver has opened.

        Raises:
            ClusterError: It does not (code `store-not-shared`), or would sign the audit trail with another key (code
                `machines-differ`).
            AuditKeyError: It has no such key (code `no-audit-key`).
        """
        if self.machine and self.machine != this_machine():
            raise _of_one_machine()
        if not (store_address(self.named).films / self.mark).is_file():
            raise ClusterError(
                "a machine of the cluster does not see the store's folder of films",
                code="store-not-shared",
                next_step="Set MEDCAM_FILMS to one folder that all machines share, on every machine before "
                "`ray start` and on this one.",
            )
        # A new trail refuses no key: two of them would leave one that nobody can verify.
        if _signer() != self.signer:
            raise ClusterError(
                "a machine of the cluster has another key of the audit trail",
                code="machines-differ",
                next_step="Copy the file of this machine to all others, and name it in MEDCAM_AUDIT_KEY there before "
                "`ray start`.",
            )


@contextmanager
def shared_store(named: str | None, hosts: Collection[str]) -> Iterator[SharedStore | None]:
    """Makes a store ready for other processes, as long as the block runs.

    Args:
        named: The store; None for none.
        hosts: Names of the machines that the cluster has now.

    Raises:
        ClusterError: The store is a file, and there are other machines (code `store-not-shared`).
        UsageError: Its URL holds a password (code `credentials-in-url`), and as `open_studies`.
        StoreError: The database cannot be used.
        AuditKeyError: As `open_studies`.
        OutputError: The folder of films cannot be written.
    """
    if named is None:
        yield None
        return
    _refuse_password(named)
    address = store_address(named)
    if address.file and set(hosts) - {socket.gethostname()}:
        raise _of_one_machine()
    with opened_store(named):  # made, or brought up to date, before several processes open it at once
        pass
    with run_mark(address.films) as mark:
        machine = this_machine() if address.file else ""
        yield SharedStore(_everywhere(named, address), mark, _signer(), machine)


@contextmanager
def keepers(store: SharedStore | None, cards: Sequence[ModelCard]) -> Iterator[list[Keeper | None]]:
    """What keeps films for each model, in a process that the driver has told of a store.

    Raises:
        MedcamError: As `SharedStore.check` and `open_studies`.
    """
    if store is None:
        yield [None] * len(cards)
        return
    store.check()
    with opened_store(store.named, make=False) as opened:
        yield [Keeper.of(opened, card) for card in cards]


def _refuse_password(named: str) -> None:
    if "://" not in named:
        return
    parts = urlsplit(named)
    if parts.password or "password" in parse_qs(parts.query):
        raise UsageError(
            "the URL of the store holds a password, which is not handed to other machines",
            code="credentials-in-url",
            next_step="Put it into ~/.pgpass on every machine, and leave it out of the URL.",
        )


def _of_one_machine() -> ClusterError:
    return ClusterError(
        "an SQLite store is a file that one machine alone may write, and the cluster has others",
        code="store-not-shared",
        next_step="Name a PostgreSQL database with --store, run with --ray local, or leave --store out.",
    )


def _everywhere(named: str, address: StoreAddress) -> str:
    """The same store, whatever folder a process works in."""
    if address.file is None:
        return named
    if "://" in named:
        _, question, query = named.partition("?")
        return f"sqlite:///{address.file}{question}{query}"
    return os.path.abspath(named)  # noqa: PTH100


def _signer() -> str:
    return read_signer(key_path()).verifier.text
