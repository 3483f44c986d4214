"""Downloads: resumed, checked, refused with a code; from a server on this computer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from file_server import FileServer, serving

from medcam.core.errors import MedcamError
from medcam.models.published import download as module
from medcam.models.published.download import Wanted, discard, download
from medcam.models.published.trust import check_and_record, record_file, seen

DATA = bytes(range(256)) * 8192
DIGEST = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving(DATA) as started:
        yield started


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def refused(wanted: Wanted, folder) -> str:
    with pytest.raises(MedcamError) as caught:
        download(wanted, folder)
    assert caught.value.next_step
    return caught.value.code


def test_a_file_is_downloaded_and_its_progress_told(server, tmp_path):
    told = []

    made = download(Wanted(f"{server.url}/file", len(DATA), DIGEST), tmp_path, lambda *step: told.append(step))

    assert made.path.read_bytes() == DATA
    assert (made.size, made.sha256) == (len(DATA), DIGEST)
    assert told[-1] == (len(DATA), len(DATA))
    discard(made)
    assert not list(tmp_path.glob("*.part"))


def test_a_broken_connection_is_resumed_where_it_was(server, tmp_path):
    server.cut = 12 * 2**16

    made = download(Wanted(f"{server.url}/file"), tmp_path)

    assert made.sha256 == DIGEST
    assert server.asked == [None, f"bytes={12 * 2**16}-", f"bytes={24 * 2**16}-"]


def test_another_run_goes_on_where_the_last_one_ended(server, tmp_path):
    server.cut = 2**16
    assert refused(Wanted(f"{server.url}/file"), tmp_path) == "download-unreachable"
    server.cut, server.asked = 0, []

    assert download(Wanted(f"{server.url}/file"), tmp_path).sha256 == DIGEST
    assert server.asked == ["bytes=196608-"]


def test_a_file_that_changed_meanwhile_is_begun_anew(server, tmp_path):
    server.cut = 2**16
    refused(Wanted(f"{server.url}/file"), tmp_path)
    server.cut, server.etag, server.data = 0, '"two"', DATA[::-1]

    made = download(Wanted(f"{server.url}/file"), tmp_path)

    assert made.path.read_bytes() == DATA[::-1]


def test_without_a_mark_nothing_is_resumed(server, tmp_path):
    server.cut, server.etag = 100_000, 'W/"weak"'
    refused(Wanted(f"{server.url}/file"), tmp_path)

    assert server.asked == [None, None, None]


@pytest.mark.parametrize("size", [len(DATA) - 1, 10])
def test_a_file_of_more_bytes_is_not_taken(server, size, tmp_path):
    assert refused(Wanted(f"{server.url}/file", size), tmp_path) == "download-size"


def test_a_file_of_fewer_bytes_is_not_taken(server, tmp_path):
    assert refused(Wanted(f"{server.url}/file", len(DATA) + 1), tmp_path) in ("download-size", "download-unreachable")


def test_an_endless_file_is_not_taken(server, monkeypatch, tmp_path):
    monkeypatch.setattr(module, "MOST_BYTES", 1000)

    assert refused(Wanted(f"{server.url}/file"), tmp_path) == "download-size"


def test_another_digest_is_not_taken_and_not_kept(server, tmp_path):
    assert refused(Wanted(f"{server.url}/file", sha256="0" * 64), tmp_path) == "download-digest"
    assert not list(tmp_path.glob("*.part"))


def test_the_digest_that_the_hub_names_is_checked(server, tmp_path):
    assert download(Wanted(f"{server.url}/moved"), tmp_path).sha256 == DIGEST

    server.data = DATA[::-1]

    assert refused(Wanted(f"{server.url}/moved"), tmp_path / "again") == "download-digest"


def test_what_is_not_there_is_told(server, tmp_path):
    assert refused(Wanted(f"{server.url}/other"), tmp_path) == "download-refused"


def test_offline_is_told_with_the_address(tmp_path):
    with pytest.raises(MedcamError, match="cannot be reached") as caught:
        download(Wanted("http://127.0.0.1:9/file"), tmp_path)

    assert caught.value.code == "download-unreachable"
    assert "http://127.0.0.1:9/file" in caught.value.next_step
    assert "medcam models import" in caught.value.next_step


@pytest.mark.parametrize(
    "url", ["http://example.org/a", "file:///etc/passwd", "ftp://example.org/a", "", "/etc/passwd"]
)
def test_other_addresses_are_refused(url):
    with pytest.raises(MedcamError) as caught:
        Wanted(url)
    assert caught.value.code == "download-address"


def test_a_file_is_known_by_its_first_digest(server, tmp_path):
    url = f"{server.url}/file"
    assert seen(url) is None

    first = check_and_record(url, download(Wanted(url), tmp_path / "a"))

    assert (first.sha256, first.size) == (DIGEST, len(DATA))
    assert check_and_record(url, download(Wanted(url), tmp_path / "b")) == first
    server.data = DATA[::-1]
    with pytest.raises(MedcamError) as caught:
        check_and_record(url, download(Wanted(url), tmp_path / "c"))
    assert caught.value.code == "download-digest"
    assert seen(url) == first


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1}', '{"a": {"sha256": "x"}}'])
def test_a_damaged_record_is_told(text, server, tmp_path):
    record_file().parent.mkdir(parents=True)
    record_file().write_text(text)

    with pytest.raises(MedcamError) as caught:
        seen("https://example.org")
    assert caught.value.code == "download-record"
