"""How a run uses a Ray cluster."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from medcam.core.errors import MedcamError, UsageError

LOCAL, AUTO = "local", "auto"
WORKERS = 2
"""Threads, and so cores, of a worker process, where nothing else is asked for."""

_HOST_AND_PORT = re.compile(r"(?P<host>[^\s/:\[\]]+|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5})")


class ClusterError(MedcamError):
    """A run on a Ray cluster cannot begin or go on."""

    default_code = "cluster"
    default_next_step = "Look at the cluster with `ray status`; then run the same command again to go on."


@dataclass(frozen=True, slots=True)
class RayOptions:
    """How a run uses a Ray cluster.

    Args:
        address: "local" for a cluster of this machine alone that lives as long as the run, "auto" for the one that this
            machine belongs to, or HOST:PORT of its head.
        gpus: GPUs of each worker process, whole or a share of one such as 0.25; 0 for none.
        actors: Most worker processes; None for as many as the cluster has room for, or grows to.

    Raises:
        UsageError: One of them is out of its range (codes `ray-address`, `ray-gpus`, `ray-actors`).
    """

    address: str
    gpus: float = 0.0
    actors: int | None = None

    def __post_init__(self) -> None:
        if self.address not in (LOCAL, AUTO) and self.host is None:
            raise UsageError(
                f"{self.address!r} is no address of a Ray cluster",
                code="ray-address",
                next_step="Use local, auto or HOST:PORT of the head; run medcam on a machine of the cluster.",
            )
        if not (0 <= self.gpus < 1 or (self.gpus >= 1 and float(self.gpus).is_integer())):
            raise UsageError(
                "GPUs of a worker process are a share of one, or a whole number of them",
                code="ray-gpus",
                next_step="Use a number such as 0.25 or 1.",
            )
        if self.actors is not None and self.actors < 1:
            raise UsageError("there must be one worker process at least", code="ray-actors")

    @property
    def host(self) -> str | None:
        """The host of the head; None where the address names none."""
        found = _HOST_AND_PORT.fullmatch(self.address)
        return found["host"].strip("[]") if found and 0 < int(found["port"]) < 65536 else None

    @property
    def on_loopback(self) -> bool:
        """Whether the cluster is to be reached by this machine alone."""
        if self.address == LOCAL or self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host or "").is_loopback
        except ValueError:
            return False
