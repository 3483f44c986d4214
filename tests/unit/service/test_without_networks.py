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


@pytest.mark.parametrize("method", ["Grad-CAM", "no-such-method"])
def test_a_server_tells_a_right_method_from_a_wrong_one_without_it(method: str) -> None:
    script = (
        "import sys\n"
        "from medcam.core.errors import UsageError\n"
        "from medcam.models.cards import read_card\n"
        "from medcam.service.explanations.method_choice import chosen_method\n"
        f"try: print(chosen_method({method!r}, read_card()))\n"
        "except UsageError as error: print(error.code)\n"
        "sys.exit('torch' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout.strip()) in ((0, "grad-cam"), (0, "unknown-cam-method"))
    assert (ended.stdout.strip() == "grad-cam") == (method == "Grad-CAM")


def test_a_run_without_a_store_loads_no_migrations() -> None:
    script = "import sys, medcam.service.annotate.run; sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
