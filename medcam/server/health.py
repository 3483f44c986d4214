"""Health and metrics of a node over HTTP, on this computer only."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse

from medcam.core.errors import UsageError

HOST = "127.0.0.1"
_START_SECONDS = 20.0
_TEXT = "text/plain; version=0.0.4; charset=utf-8"


def health_app(live: Callable[[], list[str]], ready: Callable[[], list[str]], metrics: Callable[[], bytes]) -> FastAPI:
    """GET /health and GET /metrics.

    Args:
        live: What in the process has died; empty while it lives.
        ready: Why it cannot work now; empty while it can.
        metrics: All figures in Prometheus' text format.
    """
    app = FastAPI(title="medcam node", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/health")
    def health() -> JSONResponse:
        """Status 200 where it lives and can work, 503 otherwise, with the reasons."""
        died, unready = live(), ready()
        body = {"live": not died, "ready": not died and not unready, "reasons": [*died, *unready]}
        return JSONResponse(body, status_code=200 if body["ready"] else 503)

    @app.get("/metrics")
    def figures() -> Response:
        """The figures."""
        return Response(metrics(), media_type=_TEXT)

    return app


class HealthServer:
    """Serves an app in a thread of its own until it is stopped.

    Args:
        app: What is served.
        port: TCP port; 0 for any that is free.

    Raises:
        UsageError: The port is taken (code `port-unavailable`).
    """

    def __init__(self, app: FastAPI, port: int) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((HOST, port))
        except OSError as error:
            self._socket.close()
            raise UsageError(
                f"health and metrics cannot be served on port {port}: {error.strerror or 'it is taken'}",
                code="port-unavailable",
                next_step="Choose another with --health-port N.",
            ) from error
        config = uvicorn.Config(
            app, http="h11", log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=2
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="medcam-health", daemon=True
        )

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._socket.getsockname()[1])

    def start(self) -> None:
        """Begins to serve; returns when it does."""
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started and self._thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.01)

    def stop(self) -> None:
        """Ends it."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join()
        self._socket.close()
