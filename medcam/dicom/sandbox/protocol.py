"""Messages between processes: a length, a header in JSON, then raw bytes whose sizes the receiver has judged first.

Nothing is unpickled: what a process that has read a hostile file says is data, and is checked as such.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Iterable, Mapping
from typing import Any

LARGEST_HEADER = 8 << 20
"""Bytes of a header in JSON: the largest lookup table in it takes 180 KB."""

_LENGTH = struct.Struct(">I")
_BLOCK = 1 << 20


class ProtocolError(Exception):
    """The other side does not keep to the protocol, or has gone."""


class Deadline:
    """A moment that all waiting ends at.

    Args:
        seconds: From now; None for never.
    """

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds

    def left(self) -> float | None:
        """Seconds left.

        Raises:
            TimeoutError: None are.
        """
        if self._end is None:
            return None
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def send_message(
    connection: socket.socket, header: Mapping[str, Any], payloads: Iterable[memoryview], deadline: Deadline
) -> None:
    """Sends a header and the bytes that it announces.

    Raises:
        ProtocolError: The header is too long, or the other side has gone.
        TimeoutError: The deadline has passed.
    """
    encoded = json.dumps(header, allow_nan=False).encode("ascii")
    if len(encoded) > LARGEST_HEADER:
        raise ProtocolError("the header is too long")
    try:
        connection.settimeout(deadline.left())
        connection.sendall(_LENGTH.pack(len(encoded)) + encoded)
        for payload in payloads:
            rest = payload.cast("B")
            while rest:
                connection.settimeout(deadline.left())
                rest = rest[connection.send(rest[:_BLOCK]) :]
    except TimeoutError:
        raise
    except OSError as error:
        raise ProtocolError("the other side has gone") from error


def receive_header(connection: socket.socket, deadline: Deadline) -> dict[str, Any]:
    """Receives a header.

    Raises:
        ProtocolError: It is no JSON object, too long, or the other side has gone.
        TimeoutError: The deadline has passed.
    """
    prefix = bytearray(_LENGTH.size)
    receive_into(connection, memoryview(prefix), deadline)
    (length,) = _LENGTH.unpack(prefix)
    if length > LARGEST_HEADER:
        raise ProtocolError("the header is too long")
    encoded = bytearray(length)
    receive_into(connection, memoryview(encoded), deadline)
    try:
        header = json.loads(encoded.decode("ascii"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("the header is no JSON") from error
    if not isinstance(header, dict):
        raise ProtocolError("the header is no object")
    return header


def receive_into(connection: socket.socket, target: memoryview, deadline: Deadline) -> None:
    """Fills memory with what comes.

    Raises:
        ProtocolError: The other side has gone.
        TimeoutError: The deadline has passed.
    """
    rest = target.cast("B")
    while rest:
        connection.settimeout(deadline.left())
        try:
            count = connection.recv_into(rest[:_BLOCK])
        except TimeoutError:
            raise
        except OSError as error:
            raise ProtocolError("the other side has gone") from error
        if count == 0:
            raise ProtocolError("the other side has gone")
        rest = rest[count:]


def receive_bytes(connection: socket.socket, length: int) -> bytes:
    """Waits for so many bytes, however long it takes.

    A film takes a while to copy, and longer to find fresh memory for: here it is written once, where it stays.

    Raises:
        ProtocolError: The other side has gone.
    """
    connection.settimeout(None)
    try:
        data = connection.recv(length, socket.MSG_WAITALL)
    except OSError as error:
        raise ProtocolError("the other side has gone") from error
    if len(data) != length:
        raise ProtocolError("the other side has gone")
    return data


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")
