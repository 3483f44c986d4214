"""A Ray Data job over records: blocks of them go to a pool of processes, and what a lost process took is done again."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from medcam.core.errors import MedcamError
from medcam.service.cluster.rows import Record, error_record, raised, to_text
from medcam.service.cluster.settings import ClusterError

LARGEST_BLOCK = 32
"""Records that a process takes at a time: what is lost with it at the most, and what progress is told by."""
BLOCKS_EACH = 4
"""Blocks for each process at the least, so that all have something to do until the end."""
MOST_LOST = 100
"""Blocks of a pass that may be lost: more of them say that the cluster is at fault, and not a film."""
_TRIES = 3
"""How often a block is given to another process after the one that had it was lost."""

PROCESS_LOST = "process-lost"

Numbered = tuple[int, Record]


class Work(Protocol):
    """What a process does with a block of records."""

    def __call__(self, records: Sequence[Numbered]) -> Iterable[Numbered]:
        """One answer for each record, in any order."""
        ...

    def close(self) -> None:
        """Ends what it has started, where its process does not end with it."""
        ...


class MakesWork(Protocol):
    """Makes the work of a process, once, in that process. Sent there by pickle, so that it has to be small."""

    def __call__(self) -> Work:
        """The work, with all that it needs loaded."""
        ...


@dataclass(frozen=True, slots=True)
class Pool:
    """The processes of a job.

    Args:
        cpus: Cores of each.
        gpus: GPUs of each, or a share of one.
        most: How many there may be; None for as many as there is room for.
    """

    cpus: int
    gpus: float = 0.0
    most: int | None = None

    def room(self, resources: Mapping[str, float]) -> int:
        """How many processes fit into a cluster; at least 1."""
        fits = resources.get("CPU", 0.0) / self.cpus
        if self.gpus:
            fits = min(fits, resources.get("GPU", 0.0) / self.gpus)
        return max(1, min(math.floor(fits), self.most or math.floor(fits)))


class BlockWorker:
    """One process of a pool: Ray makes it once, and calls it with block after block.

    Args:
        make: Makes the work.
    """

    INDEX: ClassVar[str] = "index"
    TEXT: ClassVar[str] = "record"

    def __init__(self, make: MakesWork) -> None:
        self._make = make
        self._work: Work | None = None

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, list[Any]]:
        """Does a block. An error that ends the run comes out as a record too: what Ray makes of exceptions says less.

        Args:
            batch: Columns `index` and `record`, the latter of JSON texts.
        """
        records = [
            (int(index), json.loads(str(text))) for index, text in zip(batch[self.INDEX], batch[self.TEXT], strict=True)
        ]
        try:
            # Made here and not by Ray: an error of a constructor would be tried again for ever.
            self._work = self._work or self._make()
            answers = list(self._work(records))
        except MedcamError as error:
            answers = [(-1, error_record(error))]
        return {self.INDEX: [index for index, _ in answers], self.TEXT: [to_text(answer) for _, answer in answers]}

    def close(self) -> None:
        """Ends the work. Ray ends the process instead."""
        if self._work is not None:
            self._work.close()


def done_in_blocks(records: Sequence[Numbered], make: MakesWork, pool: Pool) -> Iterator[Numbered]:
    """Has all records done by a pool of processes, in any order, while results are taken.

    A block whose process was lost goes to another one. One that keeps losing its process is taken apart, and the
    records that lose theirs alone are given up.

    Args:
        records: What to do, each with its number.
        make: Makes the work of each process.
        pool: How many processes, and with what.

    Yields:
        The number of each record and its answer; a record of the kind `PROCESS_LOST` for those given up.

    Raises:
        UsageError: A process says that the call is wrong.
        ClusterError: A process says that nothing can be done.
    """
    import ray

    left = dict(records)
    share = math.ceil(len(left) / (BLOCKS_EACH * pool.room(ray.cluster_resources())))
    for size in (min(LARGEST_BLOCK, max(1, share)), 1):
        if not left:
            return
        for index, answer in _job(list(left.items()), make, pool, size):
            raised(answer)
            if left.pop(index, None) is not None:
                yield index, answer
    for index in left:
        yield index, {"kind": PROCESS_LOST}


def _job(records: Sequence[Numbered], make: MakesWork, pool: Pool, size: int) -> Iterator[Numbered]:
    """One pass of Ray Data. Blocks that are lost for good are missing from what comes out."""
    import ray.data

    rows = [{BlockWorker.INDEX: index, BlockWorker.TEXT: to_text(record)} for index, record in records]
    blocks = math.ceil(len(rows) / size)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"ray\.")
        ray.data.DataContext.get_current().max_errored_blocks = MOST_LOST
        answers = ray.data.from_items(rows, override_num_blocks=blocks).map_batches(
            BlockWorker,
            batch_size=size,
            batch_format="numpy",
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=pool.most, max_tasks_in_flight_per_actor=2),
            fn_constructor_args=(make,),
            num_cpus=pool.cpus,
            num_gpus=pool.gpus or None,
            max_task_retries=_TRIES,
        )
    batches = iter(answers.iter_batches(batch_size=None, prefetch_batches=0, batch_format="numpy"))
    while (batch := _next(batches)) is not None:
        for index, text in zip(batch[BlockWorker.INDEX], batch[BlockWorker.TEXT], strict=True):
            yield int(index), json.loads(str(text))


def _next(batches: Iterator[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The next batch, None at the end; raises ClusterError where Ray gives the job up."""
    try:
        return next(batches, None)
    except MedcamError:
        raise
    except Exception as error:
        raise ClusterError(
            f"Ray has given the job up ({type(error).__name__})",
            code="ray-gave-up",
            next_step="Look at the logs of the cluster, of machines without medcam or memory first; then run the same "
            "command again to go on.",
        ) from error
