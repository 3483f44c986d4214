"""What is received is kept once, in order, under digests, and never acknowledged before it is safe."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from node_objects import an_object

from medcam.core.errors import MedcamError, UsageError
from medcam.core.radiograph import Identity
from medcam.dicom.network.scp import OutOfResourcesError
from medcam.service.node.data_folder import DataFolder, FolderLock
from medcam.service.node.inbox import Inbox, InboxError
from medcam.service.node.room import Room


@pytest.fixture
def folder(tmp_path):
    made = DataFolder(tmp_path / "node")
    made.make()
    return made


@pytest.fixture
def inbox(folder):
    return Inbox(folder, Room(folder.path, None, reserve=0))


def test_a_file_is_named_by_digests_and_holds_what_was_sent(folder, inbox):
    asked = []
    kept = inbox.keep(an_object("2.25.1", "2.25.7", b"pixels"), asked.append)

    assert kept.new
    assert asked == [kept.study] == [Identity.folder_name("2.25.7")]
    content = kept.path.read_bytes()
    assert content[:132] == bytes(128) + b"DICM"
    assert content.endswith(bytes(an_object("2.25.1", "2.25.7", b"pixels").data))
    digest = hashlib.sha256(content).hexdigest()
    assert kept.path == folder.inbox / kept.study / f"{Identity.folder_name('2.25.1')}-000-{digest}.dcm"
    (file,) = inbox.files()
    assert file.is_whole()
    assert list(folder.parts.iterdir()) == []


def test_the_same_bytes_again_are_kept_once_and_asked_for_again(inbox):
    asked = []
    first = inbox.keep(an_object(), asked.append)
    again = inbox.keep(an_object(), asked.append)

    assert (again.path, again.new) == (first.path, False)
    assert len(asked) == 2
    assert len(list(inbox.files())) == 1


def test_other_bytes_of_one_uid_lie_beside_and_after_the_first(inbox):
    contents = [b"first", b"second", b"third"]
    kept = [inbox.keep(an_object(content=content), lambda _: None).path for content in contents]

    assert sorted(kept) == kept
    assert [path.read_bytes().endswith(content) for path, content in zip(kept, contents, strict=True)] == [True] * 3
    assert len({path.name.split("-")[0] for path in kept}) == 1


def test_objects_that_do_not_name_a_study_are_studies_of_their_own(inbox):
    studies = {inbox.keep(an_object(f"2.25.{n}", study="x"), lambda _: None).study for n in range(3)}
    assert len(studies) == 3


def test_one_object_over_several_associations_at_once_is_kept_once(inbox):
    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(lambda _: inbox.keep(an_object(content=b"x" * 5000), lambda _: None), range(32)))
    assert len({one.path for one in kept}) == 1
    assert sum(one.new for one in kept) == 1


def test_different_objects_of_one_uid_at_once_get_numbers_of_their_own(inbox):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: inbox.keep(an_object(content=b"%d" % n), lambda _: None), range(16)))
    numbers = sorted(file.path.name.split("-")[1] for file in inbox.files())
    assert numbers == [f"{n:03d}" for n in range(16)]


def test_file_and_folder_are_on_the_disk_before_the_job_is_asked_for(inbox, monkeypatch):
    order = []
    real = os.fsync

    def fsync(descriptor):
        order.append(os.path.realpath(f"/proc/self/fd/{descriptor}").rpartition("/")[2])
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    kept = inbox.keep(an_object(), lambda study: order.append(f"asked for {study}"))

    part, *folders, asked = order
    assert len(part) == 32
    assert folders == ["inbox", kept.study]
    assert asked == f"asked for {kept.study}"


def test_an_object_whose_job_cannot_be_asked_for_is_not_acknowledged(inbox):
    def broken(_study):
        raise MedcamError("the database is gone", code="store")

    with pytest.raises(MedcamError, match="database"):
        inbox.keep(an_object(), broken)


@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.ENOSPC, OutOfResourcesError), (errno.EDQUOT, OutOfResourcesError), (errno.EIO, InboxError)],
)
def test_what_the_disk_refuses_leaves_nothing(folder, inbox, monkeypatch, number, kind):
    def fsync(_descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(kind):
        inbox.keep(an_object(), lambda _: None)
    assert list(folder.parts.iterdir()) == []
    assert list(inbox.files()) == []


def test_the_quota_is_kept(folder):
    room = Room(folder.path, 2000, reserve=0)
    inbox = Inbox(folder, room)
    inbox.keep(an_object("2.25.1", content=bytes(1000)), lambda _: None)
    with pytest.raises(OutOfResourcesError):
        inbox.keep(an_object("2.25.2", content=bytes(1000)), lambda _: None)
    assert 1000 < room.used == room.measure() < 2000


def test_the_disk_keeps_its_reserve(folder):
    room = Room(folder.path, None, reserve=1 << 60)
    assert room.free == 0
    with pytest.raises(OutOfResourcesError):
        room.take(1)


def test_a_changed_file_is_not_whole(inbox):
    kept = inbox.keep(an_object(), lambda _: None)
    kept.path.write_bytes(kept.path.read_bytes()[:-1] + b"?")
    (file,) = inbox.files()
    assert not file.is_whole()


def test_half_received_files_of_a_killed_node_are_gone_at_the_next_start(folder):
    (folder.parts / "half").write_bytes(b"x")
    folder.make()
    assert list(folder.parts.iterdir()) == []


def test_one_node_has_a_data_folder_at_a_time(folder):
    with FolderLock(folder):
        with pytest.raises(UsageError) as caught, FolderLock(folder):
            pass
        assert caught.value.code == "node-running"
    with FolderLock(folder):
        pass


def test_nothing_arrives_inside(inbox):
    done = threading.Event()
    thread = threading.Thread(target=lambda: (inbox.keep(an_object(), lambda _: None), done.set()))
    with inbox.nothing_arrives():
        thread.start()
        assert not done.wait(0.3)
        assert list(inbox.files()) == []
    assert done.wait(20)
    thread.join()
