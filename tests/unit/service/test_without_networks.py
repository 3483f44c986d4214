"""Processes that compute no map load no networks: hundreds of megabytes and seconds of each start."""

from __future__ import annotations

import subprocess
import sys

import pytest

NETWORKS = {"torch", "monai", "SimpleITK"}


@pytest.mark.parametrize(
    "module",
    [
        "medcam.models.cards",
        "medcam.server.serve",
        "medcam.service.audit.verify",
        "medcam.service.cluster.opening",
        "medcam.service.cluster.run",
        "medcam.service.review",
    ],
)
def test_a_process_without_a_model_loads_no_network(module: str) -> None:
    script = f"import sys, {module}; sys.exit(', '.join(sorted({NETWORKS} & set(sys.modules))) or 0)"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_a_run_without_a_store_loads_no_migrations() -> None:
    script = "import sys, medcam.service.annotate.run; sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
