"""Fixtures that every test may use."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from medcam.experiments.bench.postgres import PostgresServer, find_programs

if "PYTEST_XDIST_WORKER" in os.environ:
    # Before PyTorch is imported: several processes that each take all cores wait for one another most of the time.
    each = (os.cpu_count() or 1) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, each)))

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session", autouse=True)
def own_audit_key(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A key of the audit trail for the tests alone: none is made in the home of whoever runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDCAM_AUDIT_KEY", str(tmp_path_factory.mktemp("keys") / "audit.pem"))
        yield


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache folder of the tests alone; converted networks are kept there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real DICOM files and radiographs kept beside the project; the test is skipped where they are absent."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip("no real data beside the project")
    return folder


@pytest.fixture(scope="session")
def require_tool() -> Callable[[str], str]:
    """Path of an external program; skips without it, or fails where MEDCAM_REQUIRE_INTEGRATION=1.

    Programs of the Python environment are passed over: pynetdicom brings a storescu and a storescp of its own, which
    are not dcmtk's.
    """
    own = Path(sys.executable).parent
    folders = [folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if Path(folder) != own]

    def find(name: str) -> str:
        found = shutil.which(name, path=os.pathsep.join(folders))
        if found:
            return found
        if os.environ.get("MEDCAM_REQUIRE_INTEGRATION") == "1":
            pytest.fail(f"{name} is required by MEDCAM_REQUIRE_INTEGRATION=1 and not installed")
        pytest.skip(f"{name} is not installed")

    return find


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL of its own; skips without one, or fails where MEDCAM_REQUIRE_INTEGRATION=1."""
    programs = find_programs()
    if programs is None:
        if os.environ.get("MEDCAM_REQUIRE_INTEGRATION") == "1":
            pytest.fail("PostgreSQL is required by MEDCAM_REQUIRE_INTEGRATION=1 and not installed")
        pytest.skip("PostgreSQL is not installed")
    with PostgresServer(programs) as server:
        yield server
