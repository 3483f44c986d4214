"""What it costs to read each file in a process of its own.

    medcam phantom make --out films --count 24 --size 2048 --codec mixed --seed 3
    python -m medcam.service.measure.reading --films films --rounds 7

opens and decodes all DICOM files of a folder in this process and by a pool of readers, with as many threads, by
turns. It prints films per second of both, and the share of the throughput that the pool costs with its 95 % interval
over the rounds; below 0, the pool is faster. Other work on the machine spoils it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from medcam.core.errors import UsageError
from medcam.dicom import context_from_dataset, radiograph_from_dataset
from medcam.dicom.read import read_bytes
from medcam.dicom.sandbox.pool import ReaderPool
from medcam.evaluate.localisation import mean_interval

Read = Callable[[bytes], None]


def measure_reading(files: Sequence[bytes], threads: int, rounds: int) -> dict[str, object]:
    """Times both ways of reading, by turns.

    Args:
        files: Contents of DICOM files that can be read.
        threads: How many are read at once.
        rounds: How often.

    Returns:
        Plain values for JSON: films, threads, rounds, films per second in this process and by the pool (medians), and
        the cost (value, low, high).

    Raises:
        UsageError: There is no file or no round.
        InputError: A file cannot be read.
    """
    if not files or rounds < 2:
        raise UsageError("reading is measured on at least one file and two rounds")
    with ReaderPool(threads) as pool, ThreadPoolExecutor(threads) as workers:

        def by_pool(data: bytes) -> None:
            pool.open(data, "film.dcm")
            pool.radiograph(data, "film.dcm")

        def seconds(read: Read) -> float:
            began = time.perf_counter()
            list(workers.map(read, files))
            return time.perf_counter() - began

        seconds(_here), seconds(by_pool)  # loads codecs, starts all templates
        taken = np.array([(seconds(_here), seconds(by_pool)) for _ in range(rounds)])
    here, pooled = np.median(len(files) / taken, axis=0)
    cost = mean_interval(1 - taken[:, 0] / taken[:, 1])
    return {
        "films": len(files),
        "threads": threads,
        "rounds": rounds,
        "in_process_per_second": float(here),
        "by_pool_per_second": float(pooled),
        "cost": {"value": cost.value, "low": cost.low, "high": cost.high},
    }


def _here(data: bytes) -> None:
    """What the pool's readers do, without them: the file is parsed twice there too, once per question."""
    first = read_bytes(data, "film.dcm")
    context_from_dataset(first.dataset, sha256=first.sha256)
    second = read_bytes(data, "film.dcm")
    radiograph_from_dataset(second.dataset, sha256=second.sha256)


def main() -> None:
    """Reads the command line and prints JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    files = [path.read_bytes() for path in sorted(given.films.rglob("*.dcm"))]
    sys.stdout.write(json.dumps(measure_reading(files, given.threads, given.rounds), indent=1) + "\n")


if __name__ == "__main__":
    main()
