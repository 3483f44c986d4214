"""How long-running commands are told to end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stop_signals() -> Iterator[tuple[threading.Event, set[int]]]:
    """An event that SIGTERM and Ctrl-C set, and which of them came. The second one ends the process at once."""
    stop, heard = threading.Event(), set[int]()
    previous = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def end(number: int, _frame: FrameType | None) -> None:
        heard.add(number)
        signal.signal(number, signal.SIG_DFL)
        stop.set()

    for number in previous:
        signal.signal(number, end)
    try:
        yield stop, heard
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
