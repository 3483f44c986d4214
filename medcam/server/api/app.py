"""The API as one application."""

from __future__ import annotations

import logging
import time
from importlib.metadata import version

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from medcam.core.explanation import RESEARCH_USE
from medcam.server.api import about, events, results, submitting
from medcam.server.api.context import ApiContext
from medcam.server.api.problems import tell_problems

_LOG = logging.getLogger("medcam.api")
_DESCRIPTION = f"""Findings of chest radiographs, and the regions that drove each one, in units that add
up to the score.

**{RESEARCH_USE}**

Hand in DICOM files, follow the submission until its state is `done`, and get explanations, pictures and DICOM objects.
Everything is let go of after some hours. Errors are problem details (RFC 9457) with a stable `code`.
"""


def make_app(context: ApiContext) -> FastAPI:
    """The API over a store.

    Args:
        context: What its routes share.
    """
    app = FastAPI(
        title="medcam",
        version=version("medcam-cxr"),
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.context = context
    tell_problems(app)
    for part in (submitting, events, results, about):
        app.include_router(part.router)
    app.add_middleware(_Watch, context=context)
    return app


class _Watch:
    """Counts and logs every request by its route, never by its address; notes refusals in the audit trail."""

    def __init__(self, app: ASGIApp, context: ApiContext) -> None:
        self._app, self._context = app, context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})
        began, status, seconds = time.monotonic(), 500, 0.0

        async def watched(message: Message) -> None:
            nonlocal status, seconds
            if message["type"] == "http.response.start":
                status, seconds = message["status"], time.monotonic() - began
                message["headers"] = [*message["headers"], (b"x-content-type-options", b"nosniff")]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            self._told(scope, status, seconds)

    def _told(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "none")
        state = scope["state"]
        client, code = state.get("client", ""), state.get("code", "")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        metrics = self._context.metrics
        metrics.requests.labels(method, route, str(status)).inc()
        metrics.seconds.labels(method, route).observe(seconds)
        _LOG.info(
            "request",
            extra={
                "method": method,
                "route": route,
                "status": status,
                "milliseconds": round(1000 * seconds),
                "client": client,
                "code": code,
            },
        )
        if code and route != "none":
            metrics.refused.labels(code).inc()
            if status in _NOTED:
                self._context.note_refusal(client, code, route)


_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")
_NOTED = (401, 403, 413, 429)
"""Refusals that somebody who audits wants to know of: no right, or too much."""
