"""Which files a call names, and what records call them."""

from __future__ import annotations

import os
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

from medcam.core.errors import UsageError
from medcam.service.annotate.inputs import find_inputs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a/films/one.dcm", "a/films/deep/two.dcm", "b/films/four.dcm", "b/films/one.dcm", "three.dcm"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def names(sources: list[Path], out: Path) -> list[str]:
    return [file.source for file in find_inputs(sources, out)]


def test_files_of_one_folder_are_named_relative_to_it(folder: Path) -> None:
    assert names([folder / "a" / "films"], folder / "out") == ["one.dcm", "deep/two.dcm"]


def test_a_single_file_is_named_by_its_name(folder: Path) -> None:
    assert names([folder / "three.dcm"], folder / "out") == ["three.dcm"]


def test_several_sources_are_told_apart(folder: Path) -> None:
    sources = [folder / "a" / "films", folder / "b" / "films", folder / "three.dcm", folder / "b" / "films" / "one.dcm"]
    assert names(sources, folder / "out") == [
        "films/one.dcm",
        "films/deep/two.dcm",
        "films (2)/four.dcm",
        "one.dcm",
        "three.dcm",
    ]


def test_no_two_sources_are_called_alike(folder: Path) -> None:
    (folder / "c" / "one.dcm (3)").mkdir(parents=True)
    (folder / "c" / "one.dcm (3)" / "five.dcm").write_bytes(b"")
    sources = [folder / "c" / "one.dcm (3)", folder / "a" / "films" / "one.dcm", folder / "b" / "films" / "one.dcm"]
    assert names(sources, folder / "out") == ["one.dcm (3)/five.dcm", "one.dcm", "one.dcm (4)"]


def test_thousands_of_files_named_one_by_one_are_found_in_time_that_grows_as_they_do(tmp_path: Path) -> None:
    """As a shell names them: films/*.dcm. Compared pair by pair they would take 256 times as long, not 16."""
    paths = [tmp_path / f"{number:04d}.dcm" for number in range(4000)]
    for path in paths:
        path.touch()

    def seconds(count: int) -> float:
        began = time.process_time()
        assert len(names(paths[:count], tmp_path / "out")) == count
        return time.process_time() - began

    assert seconds(4000) < 80 * min(seconds(250) for _ in range(3))


def test_relative_sources_above_each_other(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder / "a" / "films")
    assert names([Path(), Path("../../b")], folder / "out") == [
        "films/one.dcm",
        "films/deep/two.dcm",
        "b/films/four.dcm",
        "b/films/one.dcm",
    ]


def test_results_in_a_source_are_no_inputs(folder: Path) -> None:
    out = folder / "a" / "out"
    (out / "x").mkdir(parents=True)
    (out / "x" / "sc.dcm").write_bytes(b"")
    assert names([folder / "a"], out) == ["films/one.dcm", "films/deep/two.dcm"]


def test_the_empty_list_of_refusals_of_an_earlier_run_is_no_film(folder: Path) -> None:
    """Packed or not; a list with lines in it and an empty file of another name are inputs, to be judged as such."""
    films = folder / "a" / "films"
    (films / "quarantine.jsonl").write_bytes(b"")
    (films / "deep" / "quarantine.jsonl").write_text("{}\n")
    with zipfile.ZipFile(folder / "films.zip", "w") as packed:
        packed.write(films, "films")
        for path in sorted(films.rglob("*.*")):
            packed.write(path, path.relative_to(films.parent).as_posix())
    with tarfile.open(folder / "films.tar", "w") as tape:
        tape.add(films, "films")
    kept = ["one.dcm", "deep/quarantine.jsonl", "deep/two.dcm"]
    assert names([films], folder / "out") == kept
    for archive in ("films.zip", "films.tar"):
        assert sorted(names([folder / archive], folder / "out")) == sorted(f"{archive}/films/{name}" for name in kept)


def test_a_source_below_the_output_folder_is_read(folder: Path) -> None:
    assert names([folder / "a"], folder) == ["films/one.dcm", "films/deep/two.dcm"]


@pytest.mark.parametrize("out", ["a", "a/films/..", "link"])
def test_the_output_folder_cannot_be_a_source(folder: Path, out: str) -> None:
    (folder / "link").symlink_to(folder / "a")
    with pytest.raises(UsageError) as caught:
        find_inputs([folder / "a"], folder / out)
    assert caught.value.code == "source-is-output"


def test_names_that_are_no_text_become_printable(folder: Path) -> None:
    os.close(os.open(os.fsencode(folder / "b") + b"/caf\xe9.dcm", os.O_CREAT | os.O_WRONLY))
    assert names([folder / "b"], folder / "out")[0] == "caf\\udce9.dcm"
