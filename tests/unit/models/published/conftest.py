"""Where the reference checkpoints lie."""

from __future__ import annotations

from pathlib import Path

import pytest

CONFORMANCE = Path(__file__).resolve().parents[5] / "shared" / "conformance"


@pytest.fixture(scope="session")
def conformance() -> Path:
    """Checkpoints and arrays kept beside the project; the test is skipped where they are absent."""
    if not CONFORMANCE.is_dir():
        pytest.skip("no reference checkpoints beside the project")
    return CONFORMANCE
