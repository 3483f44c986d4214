"""The memory of the server: given back when sessions end, and looked through seldom and quickly while they last.

A run of a page leaves cycles behind: sessions that refer to their pages, messages to what they were made of. Python
finds them only when it has made many more objects than it had, and looks through all that it has then, the libraries
included; meanwhile everybody waits. So what was loaded at the start is set aside, and cycles are looked for on a timer.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import pkgutil
import threading

import components
import viewer

INTERVAL = 30.0
"""Seconds between two looks for what nobody uses any longer."""
_THRESHOLDS = (10_000, 5, 1_000)
"""Of `gc.set_threshold`: young objects are looked at 14 times more seldom than by default, since one run of a page
makes thousands that live no longer than it, and the old ones on the timer alone."""


def load() -> None:
    """Loads what pages need before the first reader comes, and sets it aside from what is looked through later."""
    for package in (components, viewer):
        for found in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{package.__name__}.{found.name}")
    gc.collect()
    gc.freeze()


def keep_house(interval: float = INTERVAL) -> threading.Event:
    """Begins to look for unused memory, in a thread of its own that ends with the process.

    Args:
        interval: Seconds between two looks.

    Returns:
        Set it to end that.
    """
    gc.set_threshold(*_THRESHOLDS)
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(interval):
            tidy()

    threading.Thread(target=watch, name="housekeeping", daemon=True).start()
    return ended


def tidy() -> None:
    """Frees what nobody uses any longer, and gives free memory back to the system."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # only glibc has it
    if trim is not None:
        trim(0)
