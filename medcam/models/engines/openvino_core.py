"""The one OpenVINO runtime of a process, which is never taken down.

On processors with AMX the CPU plugin gives the thread that loads it a stack of its own for signals. When the plugin is
unloaded it frees that stack, and where another thread does so, the first one keeps the address: the next signal, such
as Ctrl-C, then ends the process with a segmentation fault. A plugin lives as long as a `Core` or a model of it does; so
one `Core` is kept until the process ends.
"""

from __future__ import annotations

import threading
from types import ModuleType
from typing import Any

_LOCK = threading.Lock()
_KEPT: list[Any] = []


def openvino_core(package: ModuleType) -> Any:  # noqa: ANN401  OpenVINO has no types
    """The `Core` of this process.

    Args:
        package: `openvino`.
    """
    with _LOCK:
        if not _KEPT:
            _KEPT.append(package.Core())
        return _KEPT[0]
