"""The bodies that films come in: read as they arrive, into files, within limits of size and time."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.message import Message
from typing import IO

from fastapi import Request
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser

from medcam.server.api.problems import ApiError
from medcam.server.api.settings import ApiSettings

FORM, RELATED, DICOM, ZIP = "multipart/form-data", "multipart/related", "application/dicom", "application/zip"
_IN_MEMORY = 1 << 20
_MOST_PARTS_MORE = 16
"""Parts that are no files, which a form may have beside them."""
_LONGEST_HEADERS = 16_384

File = tuple[str, IO[bytes]]


@dataclass(eq=False)
class _Part:
    headers: dict[str, str] = field(default_factory=dict)
    file: IO[bytes] | None = None


async def read_files(request: Request, settings: ApiSettings) -> list[File]:
    """The files of a request, by the names that they came with; who calls closes them.

    Raises:
        ApiError: The body is too large (413), too slow (408), malformed (400) or of another type (415).
    """
    kind, options = _content_type(request.headers.get("content-type", ""))
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > settings.limits.bytes + _IN_MEMORY:
        raise _too_large(settings)
    if kind in (DICOM, ZIP):
        file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed by who uses it
        try:
            async for block in _blocks(request, settings):
                file.write(block)
        except BaseException:
            file.close()
            raise
        if not file.tell():
            file.close()
            return []
        file.seek(0)
        return [("upload.zip" if kind == ZIP else "upload.dcm", file)]
    if kind not in (FORM, RELATED) or not options.get("boundary"):
        raise unsupported(f"a body is {FORM}, {RELATED}, {DICOM} or {ZIP}")
    if kind == RELATED and options.get("type", DICOM).lower() != DICOM:
        raise unsupported(f"parts of {RELATED} are {DICOM}")
    return await _Parts(kind, options["boundary"], settings).read(request)


class _Parts:
    """The parts of a multipart body."""

    def __init__(self, kind: str, boundary: str, settings: ApiSettings) -> None:
        self._kind, self._settings = kind, settings
        self._parts: list[_Part] = []
        self._name, self._value, self._ended = b"", b"", False
        self._parser = self._made(boundary)

    def _made(self, boundary: str) -> MultipartParser:
        try:
            return MultipartParser(
                boundary.encode("latin-1"),
                {
                    "on_part_begin": self._begin,
                    "on_part_data": self._data,
                    "on_header_field": self._header_name,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_end,
                    "on_headers_finished": self._headers_finished,
                    "on_end": self._end,
                },
            )
        except (UnicodeError, ValueError, MultipartParseError) as error:
            raise malformed("its boundary is none") from error

    async def read(self, request: Request) -> list[File]:
        """Reads a body.

        Raises:
            ApiError: As `read_files`.
        """
        try:
            async for block in _blocks(request, self._settings):
                self._parser.write(block)
            self._parser.finalize()
            if not self._ended:
                raise malformed("it is cut short")  # noqa: TRY301
        except MultipartParseError as error:
            self._close()
            raise malformed("its parts cannot be told apart") from error
        except BaseException:
            self._close()
            raise
        files = [(_file_name(part), part.file) for part in self._parts if part.file is not None]
        for _, file in files:
            file.seek(0)
        return files

    def _close(self) -> None:
        for part in self._parts:
            if part.file is not None:
                part.file.close()

    def _begin(self) -> None:
        if len(self._parts) >= self._settings.limits.files + _MOST_PARTS_MORE:
            raise _too_large(self._settings)
        self._parts.append(_Part())

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name = self._bounded(self._name + data[start:end])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value = self._bounded(self._value + data[start:end])

    def _header_end(self) -> None:
        self._parts[-1].headers[self._name.decode("latin-1").lower()] = self._value.decode("latin-1")
        self._name, self._value = b"", b""

    def _headers_finished(self) -> None:
        part = self._parts[-1]
        if self._kind == RELATED:
            kind, _ = _content_type(part.headers.get("content-type", ""))
            if kind != DICOM:
                raise unsupported(f"a part of {RELATED} is {DICOM}")
        elif "filename" not in part.headers.get("content-disposition", "").lower():
            raise ApiError(
                422,
                "the form has a field that is no file",
                code="unexpected-field",
                next_step="Name model, method and outputs in the address, after `?`.",
            )
        part.file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed by who uses it

    def _data(self, data: bytes, start: int, end: int) -> None:
        file = self._parts[-1].file
        assert file is not None
        file.write(data[start:end])

    def _end(self) -> None:
        self._ended = True

    def _bounded(self, text: bytes) -> bytes:
        if len(text) > _LONGEST_HEADERS:
            raise malformed("a header of a part is too long")
        return text


async def _blocks(request: Request, settings: ApiSettings) -> AsyncIterator[bytes]:
    """The body as it arrives, while it is neither too large nor too slow."""
    stream, began, size = request.stream(), time.monotonic(), 0
    while True:
        try:
            async with asyncio.timeout(settings.silence):
                block = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise _too_slow() from error
        size += len(block)
        if size > settings.limits.bytes + _IN_MEMORY:
            raise _too_large(settings)
        if time.monotonic() - began > settings.silence + size / settings.slowest:
            raise _too_slow()
        yield block


def _content_type(text: str) -> tuple[str, dict[str, str]]:
    message = Message()
    try:
        message["content-type"] = text
        parameters = message.get_params([])
    except (ValueError, TypeError):
        return "", {}
    options = {name.lower(): value for name, value in parameters[1:] if isinstance(value, str)}
    return (parameters[0][0].lower() if parameters else ""), options


def _file_name(part: _Part) -> str:
    """The name that a file came with: its ending alone is used, to tell archives."""
    message = Message()
    try:
        message["content-disposition"] = part.headers.get("content-disposition", "")
        return message.get_filename("") or ""
    except (ValueError, TypeError, LookupError):
        return ""


def unsupported(message: str) -> ApiError:
    """415."""
    return ApiError(
        415,
        message,
        code="unsupported-content-type",
        next_step="See /docs: files as a form, DICOM objects as multipart/related, or a reference as JSON.",
    )


def malformed(why: str) -> ApiError:
    """400."""
    return ApiError(400, f"the body is malformed: {why}", code="malformed-body", next_step="Correct the client.")


def _too_slow() -> ApiError:
    return ApiError(
        408,
        "the body came too slowly",
        code="upload-too-slow",
        next_step="Send it again over a better connection, or in smaller submissions.",
        headers={"Connection": "close"},
    )


def _too_large(settings: ApiSettings) -> ApiError:
    limits = settings.limits
    return ApiError(
        413,
        f"a submission has at most {limits.files} files and {limits.bytes / (1 << 20):.6g} MiB",
        code="submission-too-large",
        next_step="Hand in less at a time, or use `medcam annotate` for whole archives.",
        headers={"Connection": "close"},
    )
