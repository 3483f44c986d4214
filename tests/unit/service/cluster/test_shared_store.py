"""Which stores the processes of a run may write, and which of them are told that they may not."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from medcam.core.errors import UsageError
from medcam.service.audit.key import AuditKeyError, make_signer
from medcam.service.cluster.settings import ClusterError
from medcam.service.cluster.shared_store import SharedStore, shared_store

HERE = socket.gethostname()


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "keys" / "audit.pem"
    monkeypatch.setenv("MEDCAM_AUDIT_KEY", str(path))
    return path


def test_a_file_is_for_the_processes_of_one_machine(key, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with shared_store("store", {HERE}) as store:
        assert store is not None
        assert store.named == str(tmp_path / "store"), "processes work in other folders"
        store.check()
        with pytest.raises(ClusterError) as elsewhere:
            replace(store, machine="another").check()
    with pytest.raises(ClusterError) as several, shared_store("other", {HERE, "another"}):
        pass

    assert elsewhere.value.code == several.value.code == "store-not-shared"
    assert not (tmp_path / "other").exists()
    assert not list((tmp_path / "store" / "films").iterdir()), "nothing stays of the run's mark"
    with shared_store(None, {HERE, "another"}) as none:
        assert none is None


def test_sqlite_urls_mean_the_same_file_everywhere(key, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with shared_store("sqlite:///some/medcam.db", {HERE}) as store:
        assert store is not None
        monkeypatch.chdir("/")
        store.check()


def a_server(key: Path, films: Path) -> SharedStore:
    signer = make_signer(key)
    films.mkdir()
    (films / ".run-1").touch()
    return SharedStore("postgresql+psycopg://medcam@db.example/medcam", ".run-1", signer.verifier.text)


def test_a_machine_with_another_folder_of_films_says_so(key, tmp_path, monkeypatch):
    store = a_server(key, tmp_path / "films")
    monkeypatch.setenv("MEDCAM_FILMS", str(tmp_path / "films"))
    store.check()
    monkeypatch.setenv("MEDCAM_FILMS", str(tmp_path / "elsewhere"))

    with pytest.raises(ClusterError) as raised:
        store.check()

    assert raised.value.code == "store-not-shared"


def test_a_machine_that_would_sign_with_another_key_or_none_is_refused(key, tmp_path, monkeypatch):
    store = a_server(key, tmp_path / "films")
    monkeypatch.setenv("MEDCAM_FILMS", str(tmp_path / "films"))
    monkeypatch.setenv("MEDCAM_AUDIT_KEY", str(tmp_path / "none.pem"))
    with pytest.raises(AuditKeyError) as lacking:
        store.check()
    make_signer(tmp_path / "none.pem")
    with pytest.raises(ClusterError) as other:
        store.check()

    assert (lacking.value.code, other.value.code) == ("no-audit-key", "machines-differ")


@pytest.mark.parametrize("url", ["postgresql+psycopg://u:secret@db/n", "postgresql+psycopg://u@db/n?password=secret"])
def test_passwords_are_not_handed_on(url):
    with pytest.raises(UsageError) as raised, shared_store(url, {HERE}):
        pass

    assert raised.value.code == "credentials-in-url"
    assert "secret" not in str(raised.value)
