"""What the process does that reads one file: limits first, then the file, one answer, and the end."""

from __future__ import annotations

import os
import socket
from typing import Any

from medcam.core.errors import InputError, MedcamError
from medcam.dicom.context import context_from_dataset
from medcam.dicom.errors import BrokenDicomError, out_of_memory
from medcam.dicom.radiograph import radiograph_from_dataset
from medcam.dicom.read import parse_named
from medcam.dicom.sandbox.context_record import context_to_record
from medcam.dicom.sandbox.error_record import error_to_record
from medcam.dicom.sandbox.limits import Limits, apply_limits
from medcam.dicom.sandbox.protocol import LARGEST_HEADER, Deadline, receive_bytes, receive_header, send_message
from medcam.dicom.sandbox.radiograph_record import Array, radiograph_to_record

OPEN, RADIOGRAPH = "open", "radiograph"

ENDED_WELL = 0
ENDED_UNBOUND = 70
"""Exit status: a limit could not be set, so nothing was read."""
ENDED_OUT_OF_MEMORY = 77

_Answer = tuple[dict[str, Any], list[Array]]


def read_one(connection: socket.socket, limits: Limits, parent: int) -> int:
    """Answers the one request that comes through a connection.

    Args:
        connection: To the process that asks.
        limits: The budget.
        parent: Process id of the parent.

    Returns:
        The exit status.
    """
    try:
        apply_limits(limits, parent)
    except (OSError, ValueError):
        return ENDED_UNBOUND
    try:
        _serve(connection)
    except MemoryError:
        return ENDED_OUT_OF_MEMORY
    return ENDED_WELL


def _serve(connection: socket.socket) -> None:
    never = Deadline(None)  # the asking process watches the clock
    request = receive_header(connection, never)
    header, arrays = _answer(request, receive_bytes(connection, request["length"]))
    send_message(connection, header, [array.data for array in arrays], never)


def _answer(request: dict[str, Any], data: bytes) -> _Answer:
    try:
        record, arrays = _read(request, data)
    except MedcamError as error:
        return {"error": error_to_record(error)}, []
    except MemoryError:
        return {"error": error_to_record(out_of_memory())}, []
    except BaseException as error:  # noqa: BLE001 - codecs written in Rust panic with exceptions of their own
        return {"error": error_to_record(_unexpected(error))}, []
    if len(str(record)) > LARGEST_HEADER // 8:  # a character takes up to 6 bytes in JSON, and quotes
        too_long = BrokenDicomError("attributes are far longer than DICOM allows")
        return {"error": error_to_record(too_long)}, []
    return {"record": record}, arrays


def _read(request: dict[str, Any], data: bytes) -> _Answer:
    dataset = parse_named(data, request["name"])
    if request["kind"] == OPEN:
        return context_to_record(context_from_dataset(dataset, sha256=request["sha256"])), []
    return radiograph_to_record(radiograph_from_dataset(dataset, sha256=request["sha256"]))


def _unexpected(error: BaseException) -> InputError:
    if type(error).__name__ == "PanicException":
        return BrokenDicomError("a codec gave up on the pixel data", code="undecodable")
    return InputError(
        f"medcam failed on this file ({type(error).__name__})",
        code="internal-error",
        next_step="Report it to the project with the file's transfer syntax and size; never send patient data.",
    )


def silence() -> None:
    """Sends what libraries print, which may quote the file, nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
