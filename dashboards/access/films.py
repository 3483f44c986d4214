"""The route by which a page's film reaches the browser, and what any route of one's own may ask about its sender."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route

from .identity import Access, Identity, Reader, Refusal
from .refusals import refuse

_STUDY, _DIGEST = re.compile(r"[A-Za-z0-9_-]{1,64}"), re.compile(r"[0-9a-f]{16,128}")
_KEPT_SECONDS = 3600
IDENTITY = "identity"
"""No encoding, said aloud (RFC 9110, 8.4.1): nobody on the way compresses again what is packed already."""
_VIEWERS = frozenset({"reader", "auditor"})


@dataclass(frozen=True, slots=True)
class FilmBytes:
    """A film as it goes to the browser.

    Args:
        data: The bytes, gzip-compressed where `encoding` says so.
        encoding: Value of Content-Encoding. `IDENTITY` sends the bytes as they are; None leaves it to Streamlit, which
            compresses them anew.
        media_type: Value of Content-Type.
    """

    data: bytes
    encoding: str | None = "gzip"
    media_type: str = "application/octet-stream"


def film_route(access: Access, load: Callable[[str, str], FilmBytes | None], at: str = "/films") -> Route:
    """The route `/films/{study}/{digest}`, or another one by which something of a study is fetched.

    A study outside the reader's assignment, one that does not exist and a film that is none get the same answer: 404.
    Who asks and for what is checked anew for each request, before the film is read and before a browser is told that
    its copy is still good.

    Args:
        access: Says which reader may open which study.
        load: The film of a study by the digest of its content; None where there is none. Called in a worker thread.
        at: Beginning of the route's addresses.

    Returns:
        A route for `st.App(routes=...)`, behind `gate.Gate`.
    """

    async def film(request: Request) -> Response:
        try:
            return await _film(request, access, load)
        except Refusal as refusal:
            await tell_refused(request, refusal)
            return refuse(request, refusal.why)

    return Route(f"{at}/{{study}}/{{digest}}", film, methods=["GET"])


async def _film(request: Request, access: Access, load: Callable[[str, str], FilmBytes | None]) -> Response:
    reader, identity = reader_of(request), identity_of(request)
    study, digest = request.path_params["study"], request.path_params["digest"]
    if not reader.roles & _VIEWERS:
        raise Refusal("no-role", identity)
    if not (_STUDY.fullmatch(study) and _DIGEST.fullmatch(digest)):
        raise Refusal("not-found", identity)
    if not await run_in_threadpool(access.may_open, reader, study):
        raise Refusal("not-found", identity)
    headers = {
        "ETag": f'"{digest}"',
        "Cache-Control": f"private, max-age={_KEPT_SECONDS}",
        # Who signs in as somebody else in the same browser has another cookie, and does not get this one's copy.
        "Vary": "Accept-Encoding, Cookie",
    }
    if f'"{digest}"' in (mark.strip() for mark in request.headers.get("if-none-match", "").split(",")):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    film = await run_in_threadpool(load, study, digest)
    if film is None:
        raise Refusal("not-found", identity)
    if film.encoding:
        if film.encoding != IDENTITY and film.encoding not in request.headers.get("accept-encoding", ""):
            return Response(status_code=HTTPStatus.NOT_ACCEPTABLE)
        headers["Content-Encoding"] = film.encoding
    return Response(film.data, headers=headers, media_type=film.media_type)


def reader_of(connection: HTTPConnection) -> Reader:
    """Who sent a request that came through the gate.

    Raises:
        Refusal: It did not; code "no-identity".
    """
    reader: Reader | None = connection.scope.get("state", {}).get("medcam_reader")
    if reader is None:
        raise Refusal("no-identity")
    return reader


def identity_of(connection: HTTPConnection) -> Identity:
    """What the sign-in says about who sent a request that came through the gate.

    Raises:
        Refusal: It did not; code "no-identity".
    """
    identity: Identity | None = connection.scope.get("state", {}).get("medcam_identity")
    if identity is None:
        raise Refusal("no-identity")
    return identity


async def tell_refused(connection: HTTPConnection, refusal: Refusal) -> None:
    """Tells the audit trail that a route refused a request, as the gate does with its own refusals."""
    tell = connection.scope.get("state", {}).get("medcam_tell_refused")
    if tell is not None:
        await tell(refusal, connection.scope["path"])
