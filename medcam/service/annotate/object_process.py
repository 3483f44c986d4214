"""A process that makes DICOM objects for a run: plans come in, encoded objects go out, until nobody asks any more.

Plans and objects are pickled, which is safe between two processes of one run: what a plan holds of a file was checked
when the file was read, and bytes of files do not come here.
"""

from __future__ import annotations

import copyreg
import io
import pickle
import signal
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from types import MappingProxyType
from typing import Any

from medcam.core.errors import MedcamError
from medcam.service.annotate.dicom_objects import ObjectPlan, encoded_objects
from medcam.service.annotate.options import Output
from medcam.service.annotate.outcomes import unexpected

READY = "ready"
Question = tuple[ObjectPlan, tuple[Output, ...]]
Answer = list[tuple[str, bytes]] | MedcamError


class _Pickler(pickle.Pickler):
    """Knows what frozen values keep their mappings in."""

    dispatch_table = copyreg.dispatch_table | {MappingProxyType: lambda proxy: _proxy_parts(proxy)}


def _proxy_parts(proxy: Mapping[Any, Any]) -> tuple[Any, ...]:
    return _proxy, (dict(proxy),)


def _proxy(mapping: Mapping[Any, Any]) -> Mapping[Any, Any]:
    return MappingProxyType(mapping)


def packed(question: Question) -> bytes:
    """A question as it is sent."""
    buffer = io.BytesIO()
    _Pickler(buffer, pickle.HIGHEST_PROTOCOL).dump(question)
    return buffer.getvalue()


def serve(connection: Connection) -> None:
    """Says that it is ready, then answers questions until the other side has gone."""
    connection.send(READY)
    while True:
        try:
            plan, outputs = connection.recv()
        except (EOFError, OSError):
            return
        connection.send(_answer(plan, outputs))


def _answer(plan: ObjectPlan, outputs: tuple[Output, ...]) -> Answer:
    try:
        return encoded_objects(plan, outputs)
    except MedcamError as error:
        return error
    except Exception as error:  # noqa: BLE001 - one film never stops the rest
        return unexpected(error)


def main(arguments: Sequence[str]) -> None:
    """Serves at the descriptor that the first argument names."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's affair
    with Connection(int(arguments[0])) as connection:
        serve(connection)


if __name__ == "__main__":
    main(sys.argv[1:])
