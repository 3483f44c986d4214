"""A crowd of simulated readers, as a program: `python load_test.py < plan.json`, started by `medcam bench dashboard`.

It writes a line of JSON a second while it runs, `{"seconds": ..., "reruns": ...}`, and the record as the last one.
"""

from __future__ import annotations

import asyncio
import json
import sys

from load.crowd import CrowdPlan, send_crowd


def main() -> None:
    """Reads a plan from standard input, and does what it says."""
    plan = CrowdPlan.from_json(json.load(sys.stdin))

    def tell(seconds: float, reruns: int) -> None:
        _write({"seconds": seconds, "reruns": reruns})

    record = asyncio.run(send_crowd(plan, tell))
    _write({"record": record.to_json()})


def _write(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
