"""Where the DICOM objects of a run are made: in the run's own threads, or in processes of their own.

Reports and segmentations are put together in Python, of which one thread runs at a time in a process. A run of many
films therefore has them made in as many processes as it has threads. A process is started when it is first needed and
ends with the run; what it makes is the same bytes.
"""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection, Pipe
from types import TracebackType
from typing import Protocol, Self

from medcam.core.errors import MedcamError
from medcam.service.annotate.dicom_objects import ObjectPlan, encoded_objects
from medcam.service.annotate.object_process import READY, Answer, packed
from medcam.service.annotate.options import AnnotateOptions, Output

FEWEST_FILMS = 24
"""A run of fewer makes its objects itself: to start a process costs as much processor time as the objects of some
four films."""
_TRIES = 2
_END_SECONDS = 5.0


class ObjectMaker(Protocol):
    """Makes the DICOM objects of films; may be called from several threads."""

    def make(self, plan: ObjectPlan, outputs: tuple[Output, ...]) -> list[tuple[str, bytes]]:
        """File name and bytes of each object; see `encoded_objects`."""
        ...


class ObjectsHere:
    """Makes them in the thread that asks."""

    def make(self, plan: ObjectPlan, outputs: tuple[Output, ...]) -> list[tuple[str, bytes]]:
        """See `encoded_objects`."""
        return encoded_objects(plan, outputs)


@contextmanager
def object_maker(options: AnnotateOptions, films: int) -> Iterator[ObjectMaker]:
    """Who makes the objects of a run, for as long as a block lasts.

    Args:
        options: Of the run.
        films: How many inputs it has.
    """
    none = not set(options.outputs) - {Output.JSON, Output.PNG}
    if none or options.workers == 1 or films < FEWEST_FILMS:
        yield ObjectsHere()
        return
    with ObjectWriters(options.workers) as writers:
        yield writers


class ObjectWriters:
    """Makes them in processes that do nothing else. Threads wait for each other where there are more of them.

    Args:
        count: How many processes there may be.
    """

    def __init__(self, count: int) -> None:
        self._places: queue.LifoQueue[_Place] = queue.LifoQueue()
        self._all = [_Place() for _ in range(count)]
        for place in self._all:
            self._places.put(place)

    def make(self, plan: ObjectPlan, outputs: tuple[Output, ...]) -> list[tuple[str, bytes]]:
        """See `encoded_objects`.

        Raises:
            InputError: As `encoded_objects`.
            MedcamError: The process that makes them dies each time (code `writer-died`).
        """
        question = packed((plan, outputs))
        place = self._places.get()
        try:
            return place.ask(question)
        finally:
            self._places.put(place)

    def start(self) -> None:
        """Starts all processes now; returns when they are ready. Without it each is when it is first needed.

        Raises:
            OSError: One does not start.
            EOFError: The same.
        """
        for place in self._all:
            place.begin()
        for place in self._all:
            place.await_ready()

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of those that have been started."""
        return tuple(place.process.pid for place in self._all if place.process is not None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for place in self._all:
            place.end()


class _Place:
    """Where one film's objects can be made at a time; its process is started when it is first needed."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._ready = False

    def begin(self) -> Connection:
        if self._connection is None:
            ours, theirs = Pipe()
            self._connection = ours
            with theirs:
                self.process = _start(theirs.fileno())
        return self._connection

    def await_ready(self) -> Connection:
        connection = self.begin()
        if not self._ready:
            self._ready = connection.recv() == READY
        return connection

    def ask(self, question: bytes) -> list[tuple[str, bytes]]:
        for _ in range(_TRIES):
            try:
                answer = self._asked(question)
            except (EOFError, OSError):
                self.end()
                continue
            except BaseException:  # who knows what the process is at
                self.end()
                raise
            if isinstance(answer, MedcamError):
                raise answer
            return answer
        raise MedcamError(
            "the process that makes the DICOM objects dies over this film",
            code="writer-died",
            next_step="Look whether the machine runs out of memory; then run the same command again.",
        )

    def _asked(self, question: bytes) -> Answer:
        connection = self.await_ready()
        connection.send_bytes(question)
        answer: Answer = connection.recv()
        return answer

    def end(self) -> None:
        connection, process = self._connection, self.process
        self._connection = self.process = None
        self._ready = False
        if connection is not None:
            connection.close()
        if process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_END_SECONDS)
            if process.poll() is None:
                process.kill()
                process.wait()


def _start(descriptor: int) -> subprocess.Popen[bytes]:
    threads = {f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL")}
    folders = os.pathsep.join(folder for folder in sys.path if folder)
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-P", "-m", "medcam.service.annotate.object_process", str(descriptor)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=(descriptor,),
        env={**os.environ, **threads, "PYTHONPATH": folders},
        start_new_session=True,  # the terminal's Ctrl-C does not reach it
    )
