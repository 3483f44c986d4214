"""Archives are read in place, within limits, and never by a name that they chose."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from medcam.core.errors import InputError
from medcam.dicom import archives
from medcam.dicom.archives import is_archive, open_archive, read_member

FILES = {"a/one.dcm": b"one" * 100, "two.dcm": b"two", "../escape.dcm": b"out", "/etc/passwd": b"root"}


def zipped(path: Path, files: dict[str, bytes] | None = None) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/", b"")
        for name, data in (FILES if files is None else files).items():
            archive.writestr(name, data)
    return path


def tarred(path: Path, mode: str, files: dict[str, bytes] | None = None) -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        link = tarfile.TarInfo("link.dcm")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        for name, data in (FILES if files is None else files).items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def all_members(path: Path) -> list[bytes]:
    return [read_member(path, name) for name in open_archive(path).names()]


@pytest.fixture(params=["films.zip", "films.tar", "films.tar.gz", "films.tgz", "films.tar.bz2", "films.tar.xz"])
def packed(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / request.param
    if path.suffix == ".zip":
        return zipped(path)
    modes = {".tar": "w", ".gz": "w:gz", ".tgz": "w:gz", ".bz2": "w:bz2", ".xz": "w:xz"}
    return tarred(path, modes[path.suffix])


def test_members_come_as_they_were_and_nothing_is_unpacked(packed: Path) -> None:
    assert is_archive(packed)
    assert set(open_archive(packed).names()) == set(FILES)
    for name, data in FILES.items():
        assert read_member(packed, name) == data
    assert [path.name for path in packed.parent.iterdir()] == [packed.name]


def test_an_archive_cut_short_is_refused_with_a_code(packed: Path) -> None:
    packed.write_bytes(packed.read_bytes()[: packed.stat().st_size // 3])
    with pytest.raises(InputError) as raised:
        all_members(packed)
    assert raised.value.code == "broken-archive"


@pytest.mark.parametrize("data", [b"", b"no archive at all", b"PK\x03\x04" + bytes(40), b"\x1f\x8b" + bytes(40)])
def test_rubbish_is_refused(tmp_path: Path, data: bytes) -> None:
    for name in ("films.zip", "films.tar.gz"):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError) as raised:
            open_archive(tmp_path / name)
        assert raised.value.code == "broken-archive"


def test_a_bomb_is_refused_before_it_goes_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "HARMLESS", 1 << 20)
    monkeypatch.setattr(archives, "LARGEST_RATIO", 100)
    zeros = {"bomb.dcm": bytes(4 << 20)}
    with pytest.raises(InputError) as raised:
        read_member(zipped(tmp_path / "bomb.zip", zeros), "bomb.dcm")
    assert raised.value.code == "archive-too-large"
    with pytest.raises(InputError) as raised:
        open_archive(tarred(tmp_path / "bomb.tar.gz", "w:gz", zeros))
    assert raised.value.code == "archive-too-large"


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_MEMBERS", 3)
    for path in (zipped(tmp_path / "many.zip"), tarred(tmp_path / "many.tar", "w")):
        with pytest.raises(InputError) as raised:
            open_archive(path)
        assert raised.value.code == "archive-too-large"


def test_an_encrypted_member_says_so(tmp_path: Path) -> None:
    path = zipped(tmp_path / "secret.zip", {"one.dcm": b"one"})
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.rfind(signature) + offset] |= 1
    path.write_bytes(bytes(data))
    with pytest.raises(InputError) as raised:
        read_member(path, "one.dcm")
    assert raised.value.code == "encrypted-archive"


def test_an_archive_that_was_replaced_is_opened_anew(tmp_path: Path) -> None:
    path = zipped(tmp_path / "films.zip", {"one.dcm": b"one"})
    assert read_member(path, "one.dcm") == b"one"
    zipped(path, {"two.dcm": b"other bytes"})
    assert open_archive(path).names() == ("two.dcm",)
