"""OpenVINO without its telemetry.

By default `import openvino` makes files in the user's home and reports the import, and each conversion of a model, to
an analytics service; so does every process that has not opted out. Where OpenVINO does not find the package
`openvino_telemetry` it uses a stub of its own that does nothing. It is made not to find it.
"""

from __future__ import annotations

import importlib
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

TELEMETRY = "openvino_telemetry"
_STUB = "openvino.tools.ovc.telemetry_stub"
_SENDERS = ("openvino.tools.ovc.telemetry_utils", "openvino.tools.ovc.convert_impl")
_LOCK = threading.RLock()


def load_openvino() -> ModuleType | None:
    """The package `openvino`; None where it is not installed or does not load on this machine.

    Somebody who has imported it before in this process has let it report that import; nothing more is reported from
    here then either, see `silent`.
    """
    with _LOCK, _hidden(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import openvino

            for name in _SENDERS:
                importlib.import_module(name)
        except (ImportError, OSError):  # a library that the system cannot load is either
            return None
    package: ModuleType = openvino
    return package


@contextmanager
def silent() -> Iterator[None]:
    """Within it, OpenVINO's converter reports nothing, even where it was imported with its telemetry."""
    stub = importlib.import_module(_STUB)
    modules = [sys.modules[name] for name in _SENDERS if name in sys.modules]
    with _LOCK:
        before = [(module, _sender(module)) for module in modules]
        try:
            for module in modules:
                _put(module, stub)
            yield
        finally:
            for module, sender in before:
                _put(module, sender)


@contextmanager
def _hidden() -> Iterator[None]:
    """Within it, the telemetry package cannot be imported anew."""
    if TELEMETRY in sys.modules:
        yield
        return
    sys.modules[TELEMETRY] = None  # type: ignore[assignment]  # None stops an import, by the language reference
    try:
        yield
    finally:
        sys.modules.pop(TELEMETRY, None)


def _sender(module: Any) -> Any:  # noqa: ANN401  a module of another package
    return module.tm


def _put(module: Any, sender: Any) -> None:  # noqa: ANN401  a module of another package
    module.tm = sender
