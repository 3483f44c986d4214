"""The HTTP API as a process: the server, the workers beside it, and the end of it all in good order."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack

import uvicorn

from medcam.core.errors import UsageError
from medcam.dicom.sandbox.pool import ReaderPool
from medcam.server.api.app import make_app
from medcam.server.api.context import ApiContext
from medcam.server.api.settings import ApiSettings
from medcam.service.jobs.processes import WorkerProcesses, worker_processes
from medcam.service.studies.opened import opened_store
from medcam.service.submissions.box import SubmissionBox
from medcam.store import TokenStore

_CONNECTIONS = 500
_BACKLOG = 128
_LOG = logging.getLogger("medcam.api")


def run_api(
    settings: ApiSettings, stop: threading.Event, opened: Callable[[str, bool], None] = lambda _address, _tokens: None
) -> None:
    """Serves the API until told to stop. What was taken in is on the disk, however it ends.

    Args:
        settings: How.
        stop: Set from outside, such as by a signal.
        opened: Called with its address, and whether requests need a token, when it listens.

    Raises:
        UsageError: The port is taken (code `port-unavailable`), or it would be open to others without tokens
            (code `tokens-needed`).
        StoreError: The database cannot be opened.
        ReadersError: No process that reads files can be started.
    """
    with ExitStack() as closing:
        store = closing.enter_context(opened_store(settings.store))
        tokens = _need_tokens(settings, store.tokens)
        bound = closing.enter_context(_bound(settings))
        readers = closing.enter_context(ReaderPool(1))
        named = store.address.url if settings.store and "://" in settings.store else store.address.label
        workers = closing.enter_context(worker_processes(named, settings.workers, settings.threads, settings.engine))
        box = SubmissionBox.of(store.address, store.jobs, settings.limits)

        def unready() -> list[str]:
            return _unready(settings, workers)

        app = make_app(ApiContext(settings, store, box, readers, tokens, unready))
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                http="h11",  # limits what comes before a body to 64 KiB; httptools, taken where it is there, does not
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                limit_concurrency=_CONNECTIONS,
                timeout_graceful_shutdown=5,
            )
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, name="medcam-api", daemon=True)
        thread.start()
        closing.callback(thread.join)
        host, port = bound.getsockname()[:2]
        opened(f"http://{f'[{host}]' if ':' in host else host}:{port}", tokens)
        _LOG.info("serving", extra={"port": port, "tokens": tokens, "workers": settings.workers})
        while not stop.wait(0.2) and thread.is_alive():
            pass
        server.should_exit = True
        _LOG.info("stopping")


def _need_tokens(settings: ApiSettings, tokens: TokenStore) -> bool:
    there = bool(tokens.all())
    if settings.tokens is False and not settings.loopback:
        raise UsageError(
            "without tokens the API is served on loopback alone",
            code="tokens-needed",
            next_step="Leave --no-tokens out, or listen on 127.0.0.1.",
        )
    needed = settings.tokens if settings.tokens is not None else there or not settings.loopback
    if needed and not there:
        raise UsageError(
            "requests need a token, and the store has none",
            code="tokens-needed",
            next_step="Make one: `medcam tokens add NAME --store STORE`.",
        )
    return needed


def _unready(settings: ApiSettings, workers: WorkerProcesses) -> list[str]:
    return ["no worker process runs"] if settings.workers and not workers.alive else []


def _bound(settings: ApiSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.address else socket.AF_INET
    bound = socket.socket(family)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((settings.address, settings.port))
        bound.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        bound.close()
        raise UsageError(
            f"the API cannot be served on port {settings.port}: {getattr(error, 'strerror', '') or 'it is none'}",
            code="port-unavailable",
            next_step="Choose another with --port N.",
        ) from error
    return bound
