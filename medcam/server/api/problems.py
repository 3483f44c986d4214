"""Errors as RFC 9457 problem details, with medcam's stable codes and next steps."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from medcam.core.errors import InputError, MedcamError, UsageError
from medcam.service.jobs.worker import INTERNAL_ERROR
from medcam.service.output_errors import OutputError
from medcam.store import StoreError

PROBLEM = "application/problem+json"
_LOG = logging.getLogger("medcam.api")
_STATUS = {
    "no-such-submission": 404,
    "no-such-film": 404,
    "no-such-model": 404,
    "not-made": 404,
    "film-not-kept": 404,
    "damaged-submission": 404,
    "submission-too-large": 413,
    "too-many-submissions": 429,
}


class ApiError(MedcamError):
    """A request that is refused.

    Args:
        status: HTTP status.
        message: What is wrong.
        code: Stable code.
        next_step: What the client can do.
        headers: Of the answer, such as Retry-After.
    """

    def __init__(
        self, status: int, message: str, *, code: str, next_step: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message, code=code, next_step=next_step)
        self.status, self.headers = status, dict(headers or {})

    def __reduce__(self) -> tuple[object, ...]:
        return (MedcamError, (self.message,))


def status_of(error: MedcamError) -> int:
    """The HTTP status that an error is told with."""
    if isinstance(error, ApiError):
        return error.status
    if error.code in _STATUS:
        return _STATUS[error.code]
    if isinstance(error, StoreError | OutputError):
        return HTTPStatus.SERVICE_UNAVAILABLE
    return HTTPStatus.UNPROCESSABLE_ENTITY if isinstance(error, UsageError | InputError | ValueError) else 500


def problem(error: MedcamError, **more: Any) -> JSONResponse:
    """An error as an answer."""
    status = status_of(error)
    headers = error.headers if isinstance(error, ApiError) else {}
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        headers = {"Retry-After": "10", **headers}
    body = {
        "type": f"urn:medcam:error:{error.code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": error.message,
        "code": error.code,
        "next_step": error.next_step,
        **more,
    }
    return JSONResponse(body, status_code=status, headers=headers, media_type=PROBLEM)


def tell_problems(app: FastAPI) -> None:
    """Lets an app answer with problem details, whatever goes wrong."""

    @app.exception_handler(MedcamError)
    def known(request: Request, error: MedcamError) -> JSONResponse:
        request.state.code = error.code
        return problem(error)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        request.state.code = "invalid-request"
        places = [{"at": ".".join(str(part) for part in one["loc"]), "what": one["msg"]} for one in error.errors()]
        told = ApiError(
            422,
            "the request has parameters that cannot be used",
            code="invalid-request",
            next_step="Correct what `errors` lists; /docs describes every parameter.",
        )
        return problem(told, errors=places)

    @app.exception_handler(HTTPException)
    def plain(request: Request, error: HTTPException) -> JSONResponse:
        told = _plain(error)
        request.state.code = told.code
        return problem(told)

    @app.exception_handler(Exception)
    def unexpected(request: Request, error: Exception) -> JSONResponse:
        request.state.code = INTERNAL_ERROR
        _LOG.error("request failed", extra={"code": INTERNAL_ERROR, "type": type(error).__name__})
        told = ApiError(
            500,
            f"medcam failed on this request ({type(error).__name__})",
            code=INTERNAL_ERROR,
            next_step="Report it to the project; never send patient data.",
        )
        return problem(told)


def _plain(error: HTTPException) -> ApiError:
    """An error that the framework raised by itself."""
    step, headers = "See /docs for what there is.", error.headers
    if error.status_code == HTTPStatus.NOT_FOUND:
        return ApiError(404, "there is no such address", code="no-such-route", next_step=step)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return ApiError(405, "not by this method", code="method-not-allowed", next_step=step, headers=headers)
    phrase = HTTPStatus(error.status_code).phrase.lower()
    return ApiError(error.status_code, phrase, code="refused-request", next_step=step, headers=headers)
