"""Inputs and results in object storage, with a storage in memory in the place of a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from medcam.core.errors import InputError, UsageError
from medcam.core.radiograph import Identity
from medcam.service.annotate.inputs import find_inputs
from medcam.service.annotate.instance_output import InstanceFolder
from medcam.service.cluster.object_input import ObjectInput, find_objects
from medcam.service.cluster.outputs import ObjectOutput, SharedFolder
from medcam.service.output_errors import OutputError

FILM = Identity(sop_instance_uid="1.2.3", study_instance_uid="1.2")
RECEIPT = '{"request": "r", "files": ["sc.dcm"], "flagged": false, "making": "m"}'


@pytest.fixture
def memory() -> Iterator[fsspec.AbstractFileSystem]:
    system = fsspec.filesystem("memory")
    system.store.clear()
    yield system
    system.store.clear()


def put(system: fsspec.AbstractFileSystem, **objects: bytes) -> None:
    for name, content in objects.items():
        system.pipe_file(f"/{name}", content)


def test_objects_come_in_the_order_and_by_the_names_of_a_disk(memory, tmp_path):
    names = ["b.dcm", "a/z.dcm", "a/b/c.dcm", "a.dcm", "c/a.dcm"]
    for name in names:
        memory.pipe_file(f"/bucket/films/{name}", b"film")
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"film")

    found = find_objects(["memory://bucket/films"], "memory://bucket/out")

    assert [one.source for one in found] == [one.source for one in find_inputs([tmp_path], tmp_path / "out")]
    assert {one.read() for one in found} == {b"film"}


def test_results_are_no_inputs(memory):
    put(memory, **{"b/film.dcm": b"film", "b/out/1/2/sc.dcm": b"result", "b/quarantine.jsonl": b""})

    assert [one.source for one in find_objects(["memory://b"], "memory://b/out")] == ["film.dcm"]
    with pytest.raises(UsageError) as raised:
        find_objects(["memory://b/"], "memory://b")
    assert raised.value.code == "source-is-output"


def test_several_sources_are_told_apart(memory):
    put(memory, **{"x/films/1.dcm": b"", "y/films/1.dcm": b"", "y/2.dcm": b""})

    found = find_objects(["memory://x/films", "memory://y/films", "memory://y/2.dcm"], "out")

    assert [one.source for one in found] == ["films/1.dcm", "films (2)/1.dcm", "2.dcm"]


def test_nothing_at_a_url(memory):
    with pytest.raises(UsageError) as raised:
        find_objects(["memory://nowhere"], "out")
    assert raised.value.code == "no-such-source"


@pytest.mark.parametrize(
    ("name", "size", "code"),
    [("films.zip", 10, "archive-in-object-storage"), ("huge.dcm", 3 << 30, "too-large"), ("gone.dcm", 1, "unreadable")],
)
def test_objects_that_are_refused(memory, name, size, code):
    with pytest.raises(InputError) as raised:
        ObjectInput(f"memory://b/{name}", name, size).read()
    assert raised.value.code == code


def written(output: ObjectOutput, **files: str) -> None:
    folder = InstanceFolder(output.folder, FILM).path
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    output.hand_over(FILM)


def test_a_film_is_complete_once_it_is_handed_over(memory, tmp_path, monkeypatch):
    output, order = ObjectOutput("memory://b/out", tmp_path), []
    pipe = type(memory).pipe_file

    def remembered(self: fsspec.AbstractFileSystem, path: str, *rest: object, **more: object) -> None:
        order.append(path)
        pipe(self, path, *rest, **more)

    monkeypatch.setattr(type(memory), "pipe_file", remembered)
    assert output.finished(FILM, "r") is None

    written(output, **{"explanation.json": "{}", "sc.dcm": "sc", ".receipt.json": RECEIPT})

    assert order[-1].endswith("explanation.json")
    assert output.finished(FILM, "r")
    assert output.finished(FILM, "another request") is None
    assert not list(tmp_path.rglob("*.dcm")), "nothing of it stays on this machine"
    memory.rm_file(f"/b/out/{InstanceFolder(tmp_path, FILM).name}/sc.dcm")
    assert output.finished(FILM, "r") is None, "a file that the receipt names is missing"


def test_objects_that_stand_are_fetched_and_stale_files_go(memory, tmp_path):
    output = ObjectOutput("memory://b/out", tmp_path)
    place = f"/b/out/{InstanceFolder(tmp_path, FILM).name}"
    written(output, **{"explanation.json": "old", "sc.dcm": "sc", ".receipt.json": RECEIPT, "overlay-a.png": "a"})
    memory.pipe_file(f"{place}/notes.txt", b"somebody else's")

    output.fetch(FILM)
    kept = InstanceFolder(tmp_path, FILM).path
    assert (kept / "sc.dcm").read_text() == "sc"
    (kept / "explanation.json").write_text("new")
    output.hand_over(FILM)

    left = {path.rpartition("/")[2] for path in memory.ls(place, detail=False)}
    assert left == {"explanation.json", "sc.dcm", ".receipt.json", "notes.txt"}
    assert memory.cat_file(f"{place}/explanation.json") == b"new"
    output.forget(FILM)
    assert output.finished(FILM, "r") is None


def test_a_storage_that_refuses_stops_the_run(memory, tmp_path, monkeypatch):
    def refuse(*_arguments: object, **_more: object) -> None:
        raise PermissionError("key AKIA... has no access")

    monkeypatch.setattr(type(memory), "pipe_file", refuse)
    with pytest.raises(OutputError) as raised:
        written(ObjectOutput("memory://b/out", tmp_path), **{"explanation.json": "{}"})
    assert "AKIA" not in raised.value.message


def test_a_machine_that_does_not_see_the_output_folder_says_so(tmp_path: Path):
    with pytest.raises(OutputError) as raised:
        SharedFolder(tmp_path).check()
    assert raised.value.code == "output-not-shared"


def test_results_of_one_model_are_told_from_those_of_several(memory, tmp_path: Path):
    output = ObjectOutput("memory://b/out", tmp_path)
    put(memory, **{"b/out/models.json": b"", "b/out/tiny/manifest.json": b"{}", "b/out/quarantine.jsonl": b""})
    output.refuse_one()
    output.begin("models.json")
    assert memory.find("/b/out") == ["/b/out/tiny/manifest.json"]

    put(memory, **{f"b/out/{InstanceFolder(tmp_path, FILM).name}/sc.dcm": b"sc"})
    with pytest.raises(UsageError) as raised:
        output.refuse_one()
    assert raised.value.code == "one-model"


def test_what_marks_a_run_as_complete_is_taken_away_and_nothing_else(tmp_path: Path):
    for name in ("models.json", "manifest.json", "notes.txt"):
        (tmp_path / name).touch()
    SharedFolder(tmp_path).begin("manifest.json")
    assert {path.name for path in tmp_path.iterdir()} == {"models.json", "notes.txt"}
    SharedFolder(tmp_path).begin("models.json")
    assert {path.name for path in tmp_path.iterdir()} == {"notes.txt"}
