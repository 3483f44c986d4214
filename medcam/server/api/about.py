"""Routes about the service itself: models, health, metrics, and the pages that describe the API."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Annotated, Any

import fastapi_offline
from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse

from medcam.core.api_token import Scope
from medcam.core.errors import MedcamError, ModelError
from medcam.models.card_json import card_to_json
from medcam.models.cards import probe_names, read_card
from medcam.models.known import model_names
from medcam.server.api.access import allowed
from medcam.server.api.bodies import METRICS_EXAMPLE, PROBLEMS
from medcam.server.api.context import Client, context_of
from medcam.server.api.schemas import Health, ModelLine
from medcam.server.api.submitting import Reader

router = APIRouter(tags=["service"])
_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_ASSETS = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css", "favicon.png": "image/png"}
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
)


@router.get("/v1/models", responses=PROBLEMS)
def models(_client: Reader) -> list[ModelLine]:
    """The models that submissions may name."""
    cards = [read_card(name) for name in model_names()]
    return [
        ModelLine(name=name, version=card.version, findings=list(card.finding_names))
        for name, card in zip(model_names(), cards, strict=True)
    ]


@router.get("/v1/models/{name}", responses=PROBLEMS)
def model(_client: Reader, name: Annotated[str, Path(max_length=200, examples=["phantom"])]) -> dict[str, Any]:
    """A model's card: what it finds, what it was trained on, how well it does, and its limits."""
    base, *probes = name.split("+")
    if base not in model_names() or not set(probes) <= set(probe_names()):
        raise ModelError("there is no such model here", code="no-such-model", next_step="See GET /v1/models.")
    card: dict[str, Any] = json.loads(card_to_json(read_card(name)))
    return card


@router.get("/health")
def health(request: Request) -> Health:
    """Whether the server lives. What keeps it from working is told by /ready."""
    return Health(live=True, ready=not _reasons(request), reasons=_reasons(request))


@router.get("/ready", response_model=Health, responses={503: {"model": Health, "description": "It cannot work now"}})
def ready(request: Request) -> Response:
    """Status 200 where store and workers can work, 503 otherwise, with the reasons."""
    reasons = _reasons(request)
    body = Health(live=True, ready=not reasons, reasons=reasons)
    return JSONResponse(body.model_dump(), status_code=503 if reasons else 200)


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        **PROBLEMS,
        200: {"content": {"text/plain": {"example": METRICS_EXAMPLE}}, "description": "Prometheus' text format"},
    },
)
def metrics(request: Request, _client: Annotated[Client, Depends(allowed(Scope.METRICS))]) -> Response:
    """All figures."""
    return Response(context_of(request).metrics.exposition(), media_type=_TEXT)


@router.get("/docs", include_in_schema=False)
def docs(request: Request) -> HTMLResponse:
    """What the API can do, to be tried out. Nothing is fetched from elsewhere."""
    page = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title=request.app.title,
        swagger_js_url="/docs/swagger-ui-bundle.js",
        swagger_css_url="/docs/swagger-ui.css",
        swagger_favicon_url="/docs/favicon.png",
    )
    page.headers["Content-Security-Policy"] = _POLICY
    return page


@router.get("/docs/{name}", include_in_schema=False)
def asset(name: str) -> Response:
    """Script and style of that page, from the package `fastapi-offline`."""
    if name not in _ASSETS:
        return Response(status_code=404)
    content = files(fastapi_offline).joinpath("static", name).read_bytes()
    return Response(content, media_type=_ASSETS[name], headers={"Cache-Control": "max-age=86400"})


def _reasons(request: Request) -> list[str]:
    context = context_of(request)
    try:
        context.opened.jobs.counts()
    except MedcamError as error:
        return [f"the store cannot be used ({error.code})", *context.unready()]
    return context.unready()
