"""Memory that ways to maps take beyond the network, in a process of its own.

python -m medcam.experiments.bench.peers.memory SIDE BATCH FINDINGS

Prints one JSON object: MiB by way, "forward" for a plain pass; what could not be measured is left out. Linux alone
tells (VmHWM, which /proc/PID/clear_refs sets back: proc(5)).
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from pathlib import Path

from medcam.experiments.bench.peers.every import PEERS
from medcam.experiments.bench.peers.subject import Pass, Subject
from medcam.experiments.bench.process import peak_mib, resident_mib

FORWARD = "forward"
_MODULE = "medcam.experiments.bench.peers.memory"
_PATIENCE_S = 900.0
_ALLOCATOR = {"MALLOC_MMAP_THRESHOLD_": "262144", "MALLOC_TRIM_THRESHOLD_": "0"}
"""glibc (mallopt(3)): what is freed goes back at once, so that one way's peak does not hide in what another left."""


def measured_memory(side: int, batch: int, findings: int) -> dict[str, float]:
    """Peak memory in MiB by way, beyond what the process held before; empty where it cannot be measured.

    Args:
        side: Of the films in pixels.
        batch: Films per pass.
        findings: Outputs of the network. Two are enough: what goes finding by finding needs no more for more.
    """
    command = [sys.executable, "-m", _MODULE, str(side), str(batch), str(findings)]
    try:
        done = subprocess.run(  # noqa: S603  our own module
            command, env=os.environ | _ALLOCATOR, capture_output=True, text=True, timeout=_PATIENCE_S, check=True
        )
        lines = done.stdout.strip().splitlines()
        found: dict[str, float] = json.loads(lines[-1]) if lines else {}
    except (OSError, ValueError, subprocess.SubprocessError):
        return {}
    return found


def peaks(side: int, batch: int, findings: int) -> dict[str, float]:
    """The same, measured in this process."""
    subject = Subject(side, batch, findings=findings)
    found = {FORWARD: _peak(subject.plain())}
    for peer in PEERS:
        try:
            with subject.all_findings(peer) as run:
                found[peer.name] = _peak(run)
        except Exception:  # noqa: BLE001, S112  whatever another library raises; the table of costs says what
            continue
        gc.collect()
    return {name: value for name, value in found.items() if value is not None}


def _peak(run: Pass) -> float | None:
    run()
    gc.collect()
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return None
    before = resident_mib(os.getpid())
    run()
    after = peak_mib(os.getpid())
    return None if before is None or after is None else round(after - before, 1)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(peaks(*map(int, sys.argv[1:4]))) + "\n")
