"""A DICOM node as a process: the ear, the workers, health and metrics, and the end of it all in good order."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from medcam.anatomy import shipped_atlas
from medcam.core.errors import MedcamError
from medcam.core.protocols import Classifier
from medcam.dicom.network.scp import StorageScp
from medcam.dicom.sandbox.pool import ReaderPool
from medcam.server.health import HealthServer, health_app
from medcam.service.annotate.run import load_classifier
from medcam.service.explanations.method_choice import chosen_method
from medcam.service.node.core import NodeCore, run_workers
from medcam.service.node.data_folder import DataFolder, FolderLock
from medcam.service.node.options import NodeOptions
from medcam.service.studies.keep import Keeper
from medcam.service.studies.opened import opened_store
from medcam.store import Store, open_store, sqlite_url

HOUSEKEEPING_SECONDS = 60.0
STOPPING_SECONDS = 60.0
_LOG = logging.getLogger("medcam.node")


@dataclass(frozen=True, slots=True)
class Doors:
    """Where a running node is reached.

    Args:
        aet: Its AE title.
        host: Address it is bound to.
        port: DICOM port.
        health: Port of health and metrics; None where there is none.
    """

    aet: str
    host: str
    port: int
    health: int | None


def run_node(options: NodeOptions, stop: threading.Event, opened: Callable[[Doors], None] = lambda _: None) -> None:
    """Runs a node until told to stop; nothing that it acknowledged is lost, however it ends.

    Args:
        options: How.
        stop: Set from outside, such as by a signal. The node then accepts nothing more, leaves its work at the next
            film, and returns.
        opened: Called when it listens.

    Raises:
        UsageError: Another node has the data folder, a port is taken, there is no such method, or an option cannot be.
        ModelError: The model cannot be loaded.
        StoreError: The database cannot be opened.
        ReadersError: No process that reads files can be started.
    """
    folder = DataFolder(options.data)
    with FolderLock(folder), ExitStack() as closing:
        folder.make()
        classifier = load_classifier(options.annotate)
        chosen_method(options.annotate.method, classifier.card)  # one that does not exist is told now, not film by film
        shipped_atlas()  # a damaged installation stops the node here instead of quarantining every film
        store, keeper = _opened(options, folder, classifier, closing)
        readers = closing.enter_context(ReaderPool(options.annotate.workers))
        core = NodeCore(options, folder, store, keeper)
        if options.retry_dead:
            _LOG.info("given up jobs are tried again", extra={"number": core.revive()})
        core.resume()
        scp = StorageScp(options.listen, core)
        threads: list[threading.Thread] = []
        health = _health(options, core, scp, threads)
        if health is not None:
            closing.callback(health.stop)
        closing.callback(_join, threads)
        closing.callback(stop.set)
        closing.callback(scp.stop)
        scp.start()
        threads += run_workers(core.workers(classifier, readers), stop)
        threads.append(_housekeeper(core, stop))
        if health is not None:
            health.start()
        opened(Doors(options.listen.aet, options.listen.host, scp.port, health.port if health else None))
        _LOG.info("listening", extra={"aet": options.listen.aet, "port": scp.port})
        stop.wait()
        _LOG.info("stopping")


def _opened(
    options: NodeOptions, folder: DataFolder, classifier: Classifier, closing: ExitStack
) -> tuple[Store, Keeper | None]:
    """The database of jobs, and who keeps films where a store was named: its copies outlive what was received."""
    if options.store is None:
        store = open_store(sqlite_url(folder.database))
        closing.callback(store.close)
        return store, None
    opened = closing.enter_context(opened_store(options.store))
    return opened.store, Keeper.of(opened, classifier.card, copies=True)


def _health(
    options: NodeOptions, core: NodeCore, scp: StorageScp, threads: list[threading.Thread]
) -> HealthServer | None:
    if options.health_port is None:
        return None

    def live() -> list[str]:
        dead = [f"{thread.name} has ended" for thread in threads if not thread.is_alive()]
        return dead if scp.listening else ["the node does not listen", *dead]

    return HealthServer(health_app(live, core.ready, core.metrics.exposition), options.health_port)


def _housekeeper(core: NodeCore, stop: threading.Event) -> threading.Thread:
    """Lets go of old studies now and then."""

    def keep_house() -> None:
        while True:
            try:
                core.retention()
            except (MedcamError, OSError) as error:
                _LOG.warning("housekeeping failed", extra={"code": getattr(error, "code", type(error).__name__)})
            if stop.wait(HOUSEKEEPING_SECONDS):
                return

    thread = threading.Thread(target=keep_house, name="medcam-housekeeping", daemon=True)
    thread.start()
    return thread


def _join(threads: list[threading.Thread]) -> None:
    """Waits for the jobs at hand, within reason: one that is cut off is done again at the next start."""
    deadline = time.monotonic() + STOPPING_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
