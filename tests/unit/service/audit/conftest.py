from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from medcam.service.audit.key import KEY_VARIABLE
from medcam.service.studies.opened import OpenedStore, open_studies
from medcam.store import AuditDraft


@pytest.fixture(autouse=True)
def audit_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A key of this test alone."""
    path = tmp_path / "keys" / "audit.pem"
    monkeypatch.setenv(KEY_VARIABLE, str(path))
    return path


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OpenedStore]:
    store = open_studies(tmp_path / "store")
    yield store
    store.close()


@pytest.fixture
def ten(opened: OpenedStore) -> OpenedStore:
    """A store with ten events."""
    for number in range(10):
        opened.trail.append(AuditDraft("study-viewed", f"reader-{number % 3}@local", body={"number": number}))
    return opened
