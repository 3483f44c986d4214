"""The door to reading untrusted files: bytes in; a context, a radiograph or an error out."""

from __future__ import annotations

import hashlib
import queue
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

from medcam.core.errors import InputError, MedcamError, UsageError
from medcam.core.radiograph import Radiograph
from medcam.dicom.context import SourceContext
from medcam.dicom.errors import out_of_memory
from medcam.dicom.sandbox.child import ENDED_OUT_OF_MEMORY, ENDED_UNBOUND, ENDED_WELL, OPEN, RADIOGRAPH
from medcam.dicom.sandbox.context_record import context_from_record
from medcam.dicom.sandbox.error_record import error_from_record
from medcam.dicom.sandbox.limits import Limits
from medcam.dicom.sandbox.protocol import Deadline, ProtocolError, receive_header, receive_into, send_message
from medcam.dicom.sandbox.radiograph_record import radiograph_from_record
from medcam.dicom.sandbox.template_process import Ended, TemplateProcess

_LINGER_SECONDS = 2.0
"""For a reader that has answered and does not end."""
_PAUSES = (0.0, 0.2, 1.0, 3.0)
"""Seconds before each try to start a template process: a machine short of memory may have some again soon."""

_LOOK_AT_MEMORY = "Look whether the machine runs out of memory; then run the same command again."

T = TypeVar("T")
Receive = Callable[[object, Callable[[memoryview], None]], T]


class ReadersError(MedcamError):
    """Processes that read files cannot be started, so that nothing can be read safely."""

    default_code = "no-readers"
    default_next_step = "Look whether the machine has memory and processes to spare; run `medcam doctor`."


class _AgainError(InputError):
    """What happened may have nothing to do with the file: it gets a second chance."""


@dataclass(slots=True)
class _Place:
    """Where one file can be read at a time.

    Args:
        template: None where a template process has yet to be started.
    """

    template: TemplateProcess | None = None


class ReaderPool:
    """Reads untrusted files, each in a process of its own that has seen no other file.

    A pool of template processes, each of which makes one reader at a time. Methods may be called from several threads,
    which wait for each other where there are more of them than templates. What a reader says is checked; a reader that
    dies, hangs or takes too much costs its own file and nothing else.

    Args:
        count: How many files may be read at once.
        limits: Budget of each file.

    Raises:
        UsageError: The count is not positive.
        ReadersError: Not one process can be started (code `no-readers`).
    """

    def __init__(self, count: int, limits: Limits | None = None) -> None:
        if count < 1:
            raise UsageError("a pool needs at least one reader")
        self.limits = limits or Limits()
        self._lock = threading.Lock()
        self._running: set[TemplateProcess] = set()
        self._is_closed = False
        self._idle: queue.LifoQueue[_Place] = queue.LifoQueue()
        for _ in range(count - 1):
            self._idle.put(_Place())
        try:
            self._idle.put(_Place(self._started()))
        except InputError as error:
            raise ReadersError("no process that reads files can be started") from error

    def open(self, data: bytes, name: str) -> SourceContext:
        """What a file is: its identity, patient and study. Pixels are not decoded.

        Args:
            data: The bytes of the file.
            name: The file's name, whose suffix may claim that it is DICOM.

        Raises:
            NotAnImageError: It is no image.
            InputError: It cannot be read (codes as `load_radiograph`), not within the limits (`reading-memory`,
                `reading-timed-out`), or not by a process that lives (`reader-died`).
        """
        digest = hashlib.sha256(data).hexdigest()
        return self._ask(OPEN, data, name, digest, lambda record, _: context_from_record(record, digest))

    def radiograph(self, data: bytes, name: str) -> Radiograph:
        """Decodes a file.

        Args:
            data: The bytes of the file.
            name: The file's name, whose suffix may claim that it is DICOM.

        Raises:
            NotAnImageError: As `open`.
            InputError: As `open`.
        """
        digest = hashlib.sha256(data).hexdigest()
        return self._ask(
            RADIOGRAPH, data, name, digest, lambda record, fill: radiograph_from_record(record, fill, digest)
        )

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the template processes that run."""
        with self._lock:
            return tuple(template.pid for template in self._running)

    def close(self) -> None:
        """Ends all processes. Files that are being read are given up."""
        with self._lock:
            self._is_closed = True
            running, self._running = self._running, set()
        for template in running:
            template.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, kind: str, data: bytes, name: str, digest: str, receive: Receive[T]) -> T:
        if len(data) > self.limits.memory // 2:
            raise out_of_memory()
        request = {"kind": kind, "name": name, "sha256": digest, "length": len(data)}

        def exchange(template: TemplateProcess) -> T:
            return _exchange(template, request, data, receive, Deadline(self.limits.wall_seconds))

        place = self._idle.get()
        try:
            try:
                return self._at(place, exchange)
            except _AgainError:
                return self._at(place, exchange)
        finally:
            self._idle.put(place)

    def _at(self, place: _Place, exchange: Callable[[TemplateProcess], T]) -> T:
        place.template = place.template or self._started()
        try:
            return exchange(place.template)
        except MedcamError:
            raise
        except BaseException as error:  # who knows what the template process is at
            self._end(place.template)
            place.template = None
            if isinstance(error, ProtocolError):
                raise _AgainError(
                    "the process that reads does not answer", code="reader-died", next_step=_LOOK_AT_MEMORY
                ) from error
            raise

    def _started(self) -> TemplateProcess:
        failure: Exception | None = None
        for pause in _PAUSES:
            time.sleep(pause)
            if self._is_closed:
                break
            try:
                template = TemplateProcess(self.limits)
            except (ProtocolError, TimeoutError, OSError) as error:
                failure = error
                continue
            with self._lock:
                if not self._is_closed:
                    self._running.add(template)
                    return template
            template.end()
        raise _died("no process that reads can be started") from failure

    def _end(self, template: TemplateProcess) -> None:
        with self._lock:
            self._running.discard(template)
        template.end()


def _exchange(
    template: TemplateProcess, request: dict[str, Any], data: bytes, receive: Receive[T], deadline: Deadline
) -> T:
    """Has one file read.

    Raises:
        InputError: What the reader said, or why it said nothing.
        ProtocolError: The template process has to be ended.
    """
    answer: T | MedcamError | None = None
    is_late, misspoke = False, None
    with template.begin() as connection:
        try:
            send_message(connection, request, [memoryview(data)], deadline)
            answer = _received(connection, receive, deadline)
        except TimeoutError:
            is_late = True
        except ProtocolError as error:
            misspoke = error
    ended = template.finish(0.0 if is_late else _LINGER_SECONDS)
    if isinstance(answer, MedcamError):
        raise answer
    if answer is not None:
        return answer
    if is_late:
        raise _timed_out()
    raise _why(ended) from misspoke


def _received(connection: Any, receive: Receive[T], deadline: Deadline) -> T | MedcamError:  # noqa: ANN401 - a socket
    header = receive_header(connection, deadline)
    if "error" in header:
        return error_from_record(header["error"])
    return receive(header.get("record"), lambda target: receive_into(connection, target, deadline))


def _why(ended: Ended | None) -> InputError:
    """What a reader's end without a valid answer means."""
    if ended is None:
        return _timed_out()
    if ended.exit_status == ENDED_OUT_OF_MEMORY:
        return out_of_memory()
    if ended.signal == getattr(signal, "SIGXCPU", -1):
        return _timed_out()
    if ended.signal == signal.SIGKILL:
        # By the kernel for want of memory, or by a person.
        return _AgainError("the process that read the file was killed", code="reader-died", next_step=_LOOK_AT_MEMORY)
    if ended.exit_status == ENDED_UNBOUND:
        return _died("the machine refuses the limits that files are read under")
    if ended == Ended(0, ENDED_WELL):
        return _died("the process that read the file gave an answer that is none")
    return _died("the process that read the file died of it")


def _died(message: str) -> InputError:
    return InputError(
        message,
        code="reader-died",
        next_step="Do not trust the file; check it with a DICOM viewer, or send it again from its source.",
    )


def _timed_out() -> InputError:
    return InputError(
        "reading the file takes longer than is allowed",
        code="reading-timed-out",
        next_step="Check it with a DICOM viewer; if it is what it claims to be, store it uncompressed.",
    )
