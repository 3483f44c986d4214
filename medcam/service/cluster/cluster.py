"""The connection to a Ray cluster: optional, quiet, without usage statistics, and on loopback where it is local."""

from __future__ import annotations

import logging
import os
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import cast

from medcam.core.errors import UsageError
from medcam.service.cluster.settings import LOCAL, ClusterError, RayOptions

_ON_LOOPBACK = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""Read by Ray on every system in spite of its name: 0 makes every process of Ray listen on 127.0.0.1 and nowhere else.
A node address of 127.0.0.1 alone does not: Ray replaces it by one that other machines reach."""
_STATISTICS = "RAY_USAGE_STATS_ENABLED"
_ENVIRONMENT = {"RAY_BACKEND_LOG_LEVEL": "fatal", "RAY_worker_niceness": "0"}
"""What Ray reads, where nothing is set. Its processes would be as nice as 15 to all others of the machine, which films
without Ray are not."""
OBJECT_STORE = 200 << 20
"""Bytes of shared memory of a local cluster: names and outcomes alone lie there."""


@contextmanager
def connected(options: RayOptions, cpus: int) -> Iterator[ModuleType]:
    """Ray, connected for as long as the block runs. Of the environment, `RAY_USAGE_STATS_ENABLED=0` is set for good.

    Args:
        options: Which cluster.
        cpus: Cores of a local one.

    Yields:
        The module `ray`.

    Raises:
        UsageError: Ray is not installed (code `no-ray`), or this process is connected already (code `ray-in-use`).
        ClusterError: The cluster cannot be reached or started (code `no-cluster`), or a local one would be open to
            other machines (code `cluster-not-local`).
    """
    ray = _imported(options)
    if ray.is_initialized():
        raise UsageError(
            "this process is connected to a Ray cluster already",
            code="ray-in-use",
            next_step="Call `ray.shutdown()` first; medcam connects by itself.",
        )
    heard = signal.getsignal(signal.SIGTERM)
    try:
        _connect(ray, options, cpus)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, heard)  # Ray puts a handler of its own there
        _hush()
        yield ray
    finally:
        ray.shutdown()


def _imported(options: RayOptions) -> ModuleType:
    """The module, with its environment set before it looks."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    os.environ[_STATISTICS] = "0"
    if options.on_loopback:
        os.environ[_ON_LOOPBACK] = "0"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Ray's own settings, which it looks at one by one
            import ray
            import ray.data

            ray.data.DataContext.get_current()
    except ImportError as error:
        raise UsageError(
            "--ray needs Ray, which is not installed",
            code="no-ray",
            next_step="Install it, on every machine: python -m pip install 'medcam-cxr[ray]'",
        ) from error
    return cast("ModuleType", ray)


def _connect(ray: ModuleType, options: RayOptions, cpus: int) -> None:
    quiet = {"logging_level": logging.ERROR, "log_to_driver": False}
    logging.getLogger("ray").setLevel(logging.ERROR)
    try:
        if options.address != LOCAL:
            ray.init(address=options.address, **quiet)
            return
        ray.init(address=LOCAL, num_cpus=cpus, include_dashboard=False, object_store_memory=OBJECT_STORE, **quiet)
    except Exception as error:
        raise ClusterError(
            f"the Ray cluster at {options.address} cannot be reached or started ({type(error).__name__})",
            code="no-cluster",
            next_step="Check the address with `ray status --address`; Ray's release must be the same everywhere, and "
            "RAY_AUTH_TOKEN or ~/.ray/auth_token that of the cluster.",
        ) from error
    if not ray.util.get_node_ip_address().startswith("127."):
        ray.shutdown()
        raise ClusterError(
            "the local cluster would be open to other machines",
            code="cluster-not-local",
            next_step=f"Set {_ON_LOOPBACK}=0 before Ray is imported.",
        )


def _hush() -> None:
    """What Ray Data has to say goes to its log files: medcam keeps count of what is lost by itself."""
    import ray.data

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logger = logging.getLogger("ray.data")
    for handler in logger.handlers:
        if isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler):
            handler.setLevel(logging.CRITICAL)
