"""Several processes that train one network together, as `torchrun` starts them: one per GPU, or per share of the cores.

Every process learns from its share of each batch. Gradients are averaged once a step, and so are the running statistics
of normalisation, so that all processes hold the same weights after every step (synchronous data parallelism). One
all-reduce of a few megabytes does it; DistributedDataParallel would want a network all of whose layers are used, which
backbones that keep the last layer of their library are not, or look for the unused ones in every step.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, distributed, nn

from medcam.core.errors import ModelError

Value = TypeVar("Value")
PATIENCE = timedelta(hours=4)
"""How long processes wait for the first of them, which reads films and validates."""


@dataclass(frozen=True, slots=True)
class Team:
    """The processes of a run, and which of them this one is.

    Args:
        rank: Of this process; the first (0) validates, writes and reports.
        size: How many there are.
        device: What this process computes on.
    """

    rank: int
    size: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this process validates, writes and reports."""
        return self.rank == 0

    def wait(self) -> None:
        """Waits until all processes have come so far."""
        if self.size > 1:
            distributed.barrier()

    def told(self, value: Value | None) -> Value:
        """A value of the first process, in all of them; the others give None."""
        if self.size == 1:
            return cast("Value", value)
        box = [value]
        distributed.broadcast_object_list(box, src=0, device=self.device)
        return cast("Value", box[0])

    def average_gradients(self, module: nn.Module) -> None:
        """Averages the gradients of all that learns."""
        self._average([parameter.grad for parameter in module.parameters() if parameter.grad is not None])

    def average_statistics(self, module: nn.Module) -> None:
        """Averages what normalisation remembers."""
        self._average([buffer for buffer in module.buffers() if buffer.dtype.is_floating_point])

    def check_alike(self, module: nn.Module) -> None:
        """Makes sure that all processes hold the same weights.

        Raises:
            ModelError: They do not (code "training-processes").
        """
        if self.size == 1:
            return
        digests: list[Any] = [None] * self.size
        distributed.all_gather_object(digests, digest(module))
        if len(set(digests)) > 1:
            raise ModelError(
                "the processes of this run hold different weights",
                code="training-processes",
                next_step="Give every process the same command, data and version of medcam, and start again.",
            )

    def _average(self, tensors: list[Tensor]) -> None:
        if self.size == 1 or not tensors:
            return
        flat = torch.cat([tensor.detach().flatten() for tensor in tensors])
        distributed.all_reduce(flat)
        flat /= self.size
        start = 0
        for tensor in tensors:
            tensor.copy_(flat[start : start + tensor.numel()].view_as(tensor))
            start += tensor.numel()


def alone() -> Team:
    """One process: a GPU where there is one, else the CPU."""
    return Team(0, 1, torch.device("cuda" if torch.cuda.is_available() else "cpu"))


@contextmanager
def joined() -> Iterator[Team]:
    """The processes that `torchrun` started, joined by NCCL where there are GPUs and by Gloo where there are none.

    Yields:
        One process by itself where nobody started several.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size < 2:
        yield alone()
        return
    local = int(os.environ.get("LOCAL_RANK", "0"))
    on_gpu = torch.cuda.is_available()
    device = torch.device("cuda", local) if on_gpu else torch.device("cpu")
    if on_gpu:
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if on_gpu else "gloo", timeout=PATIENCE)
    try:
        yield Team(distributed.get_rank(), size, device)
    finally:
        distributed.destroy_process_group()


def digest(module: nn.Module) -> str:
    """SHA-256 of a module's weights and statistics."""
    found = hashlib.sha256()
    for name, value in sorted(module.state_dict().items()):
        found.update(name.encode())
        found.update(value.detach().cpu().contiguous().float().numpy().tobytes())
    return found.hexdigest()
