"""Reads damaged files by the thousand and tells how it ended; exit code 1 where something did that must not happen.

    python -m tests.fuzz --count 5000 --seed 1
    python -m tests.fuzz --whole

The first reads so many damaged files, the same for the same seed; the second all files of the corpus as they are.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from .corpus import corpus, films, shipped
from .judge import Report, judge
from .mutate import mutated


def damaged(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """So many damaged files with names that tell how to make them again."""
    whole = corpus()
    for number in range(count):
        rng = random.Random(f"{seed}/{number}")
        name, data = rng.choice(whole)
        kinds, changed = mutated(data, rng)
        yield f"{seed}-{number}-{name}-{kinds}", changed


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=5000, help="damaged files to read")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--whole", action="store_true", help="read the corpus as it is")
    parser.add_argument("--keep", type=Path, help="folder for cases that offend or kill their reader")
    given = parser.parse_args()
    if given.keep is not None:
        given.keep.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    cases = [*shipped(), *films()] if given.whole else damaged(given.count, given.seed)
    report = judge(cases, given.keep)
    _tell(report, time.perf_counter() - started)
    return 1 if report.offences else 0


def _tell(report: Report, seconds: float) -> None:
    lines = [f"{report.count} files in {seconds:.0f} s, the slowest in {report.slowest:.1f} s"]
    for outcome, count in report.outcomes.most_common():
        lines.append(f"{count:7d}  {outcome}")
    for title, cases in (("died, late or out of memory", report.hard), ("offences", report.offences)):
        lines += [f"{title}: {len(cases)}", *(f"  {case}" for case in cases)]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    raise SystemExit(main())
