"""The process that readers are copied from: it has loaded all that reading needs, and never sees a byte of any file.

For each file it is handed a connection and forks. It has a single thread, so that forking is safe. It knows no secret
of the process that started it, which passes on few environment variables and no descriptors. It ends when that process
does: its control connection is closed then, or its parent is another one.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import struct
import sys

from medcam.dicom.decoders import available_decoders
from medcam.dicom.sandbox.child import read_one, silence
from medcam.dicom.sandbox.limits import Limits

READY = b"R"
READ, KILL = b"r", b"k"
STATUS = struct.Struct("<i")
"""Wait status of a reader, sent when it has ended."""

_LOOK_AT_PARENT = 1000
"""Milliseconds between looks at who the parent is."""


def main(arguments: list[str]) -> None:
    """Serves until the control connection is closed.

    Args:
        arguments: Descriptor of the control connection, the parent's process id, bytes of memory, seconds of processor
            time.
    """
    descriptor, parent, memory, cpu_seconds = map(int, arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's affair
    silence()
    limits = Limits(memory, cpu_seconds)
    with socket.socket(fileno=descriptor) as control:
        available_decoders()  # loads them
        gc.collect()
        gc.freeze()  # what is here stays shared with the copies
        control.sendall(READY)
        while True:
            _wait(control, parent)
            message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
            if not message:
                return
            if message == READ and descriptors:
                control.sendall(STATUS.pack(_fork(control, descriptors[0], limits, parent)))


def _fork(control: socket.socket, descriptor: int, limits: Limits, parent: int) -> int:
    """Has a copy of this process read a file, waits for its end and returns its wait status."""
    ended, alive = os.pipe()
    template = os.getpid()
    process = os.fork()
    if process == 0:
        status = 1
        try:
            control.close()
            os.close(ended)
            with socket.socket(fileno=descriptor) as connection:
                status = read_one(connection, limits, template)
        finally:
            os._exit(status)
    os.close(alive)
    os.close(descriptor)
    try:
        while True:
            readable = _wait(control, parent, ended)
            if control.fileno() in readable and control.recv(1) != KILL:
                os.kill(process, signal.SIGKILL)
                os._exit(0)
            if control.fileno() in readable:
                os.kill(process, signal.SIGKILL)
            if readable:
                return os.waitpid(process, 0)[1]
    finally:
        os.close(ended)


def _wait(control: socket.socket, parent: int, *others: int) -> set[int]:
    """Descriptors that can be read from; ends this process if its parent is gone."""
    watched = select.poll()
    for descriptor in (control.fileno(), *others):
        watched.register(descriptor, select.POLLIN)
    while True:
        ready = {descriptor for descriptor, _ in watched.poll(_LOOK_AT_PARENT)}
        if os.getppid() != parent:
            os._exit(0)  # the reader, if there is one, ends with this process
        if ready:
            return ready


if __name__ == "__main__":
    main(sys.argv[1:])
