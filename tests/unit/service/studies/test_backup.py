"""A backup holds everything, is whole or refused, and goes from one kind of database into the other."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile

import pytest

from medcam.core.errors import InputError
from medcam.core.reader import Role
from medcam.core.review import Answer, Phase, Review
from medcam.core.worklist import WorklistQuery
from medcam.service.audit.key import key_path, read_verifier
from medcam.service.audit.verify import verify_trail
from medcam.service.studies.backup import back_up, restore
from medcam.service.studies.migrate import migrate_store
from medcam.service.studies.opened import opened_store
from medcam.store import AuditDraft, StoreError, audit_events


@pytest.fixture(scope="module")
def reviewed(filled):
    """A store with films, a reader, a review, a job and events."""
    ada = filled.readers.set("local", "ada", name="김 Ada", roles=[Role.READER], everything=True)
    line = filled.worklist.page(WorklistQuery(), ada, now=0.0).lines[0]
    [film] = filled.films.films(line.study.id)
    [said] = filled.films.explanations(film.id)
    review = Review(line.study.id, film.id, said.id, ada.id, Phase.AIDED, "Nodule", Answer.AGREE)
    filled.readers.assign(ada, [line.study.id])
    filled.reviews.add(review, ada)
    filled.reviews.finish(ada, line.study.id, 3.0)
    filled.jobs.enqueue("annotate", "a", {"x": 1})
    return filled


@pytest.fixture(scope="module")
def backup(reviewed, tmp_path_factory):
    path = tmp_path_factory.mktemp("backup") / "store.zip"
    back_up(reviewed, path)
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request, tmp_path, monkeypatch):
    if request.param == "sqlite":
        address = str(tmp_path / "new")
    else:
        monkeypatch.setenv("MEDCAM_FILMS", str(tmp_path / "films"))
        address = request.getfixturevalue("postgres").new_url()
    with opened_store(address) as opened:
        yield opened


def contents(opened):
    ada = opened.readers.find("local", "ada")
    page = opened.worklist.page(WorklistQuery(), ada, now=0.0)
    films = [film for line in page.lines for film in opened.films.films(line.study.id)]
    return {
        "page": page,
        "films": films,
        "explanations": [opened.films.explanations(film.id) for film in films],
        "pixels": [opened.files.pixels(film.sha256) for film in films],
        "reviews": list(opened.reviews.all()),
        "readers": opened.readers.all(),
        "readings": [opened.reviews.reading(ada, line.study.id) for line in page.lines],
        "jobs": opened.jobs.counts(),
    }


def test_a_backup_comes_back_whole_in_either_database(reviewed, backup, empty):
    restore(empty, backup)

    assert contents(empty) == contents(reviewed)
    # The events before the backup, then that it was restored; the backup itself was noted after it was made.
    old, new = list(audit_events(reviewed.store)), list(audit_events(empty.store))
    assert new[:-1] == old[: len(new) - 1]
    assert new[-1].kind == "store-restored"
    assert verify_trail(empty.store, read_verifier(key_path())).intact


def test_what_was_restored_goes_on_counting(backup, empty):
    restore(empty, backup)
    bob = empty.readers.set("local", "bob", name="Bob", roles=[Role.READER])
    empty.jobs.enqueue("annotate", "b", {})

    assert bob.id > empty.readers.find("local", "ada").id


def test_a_backup_is_noted(reviewed, backup):
    assert "store-backed-up" in [event.kind for event in audit_events(reviewed.store)]


def test_a_store_that_is_not_empty_is_left_alone(reviewed, backup):
    before = contents(reviewed)
    with pytest.raises(StoreError) as caught:
        restore(reviewed, backup)

    assert caught.value.code == "store-not-empty"
    assert contents(reviewed) == before


def changed(backup, tmp_path, name, content):
    target = tmp_path / "changed.zip"
    with zipfile.ZipFile(backup) as old, zipfile.ZipFile(target, "w") as new:
        for member in old.namelist():
            new.writestr(member, content(old.read(member)) if member.startswith(name) else old.read(member))
    return target


def as_of_the_third_revision(backup, target):
    """The same backup as a medcam made it that knew no clients of jobs, no tokens and no turns."""
    with zipfile.ZipFile(backup) as old, zipfile.ZipFile(target, "w") as new:
        members = {name: old.read(name) for name in old.namelist()}
        manifest = json.loads(members.pop("manifest.json"))
        manifest["revision"] = "0003"
        for table in ("job_turns", "api_tokens"):
            del members[f"tables/{table}.jsonl"], manifest["rows"][table], manifest["sha256"][f"tables/{table}.jsonl"]
        jobs = [json.loads(line) for line in members["tables/jobs.jsonl"].splitlines()]
        assert all(job.pop("client") == "" for job in jobs)
        members["tables/jobs.jsonl"] = "".join(json.dumps(job) + "\n" for job in jobs).encode()
        manifest["sha256"]["tables/jobs.jsonl"] = hashlib.sha256(members["tables/jobs.jsonl"]).hexdigest()
        for name, content in members.items():
            new.writestr(name, content)
        new.writestr("manifest.json", json.dumps(manifest))
    return target


def test_a_backup_of_an_older_medcam_comes_back_whole(reviewed, backup, empty, tmp_path):
    restore(empty, as_of_the_third_revision(backup, tmp_path / "older.zip"))

    assert contents(empty) == contents(reviewed)
    assert verify_trail(empty.store, read_verifier(key_path())).intact


def newer(content):
    manifest = json.loads(content)
    manifest["revision"] = "9999"
    return json.dumps(manifest).encode()


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("manifest.json", lambda _old: b"{}", "broken-backup"),
        ("manifest.json", newer, "backup-version"),
        ("tables/reviews", lambda old: old.replace(b"agree", b"disagree"), "broken-backup"),
        ("tables/studies", lambda old: old[:-20], "broken-backup"),
        ("films/", lambda old: old[:-1], "broken-backup"),
    ],
)
def test_a_backup_that_was_changed_is_refused_and_leaves_an_empty_database(backup, tmp_path, name, content, code):
    with opened_store(tmp_path / "new") as opened:
        with pytest.raises(InputError) as caught:
            restore(opened, changed(backup, tmp_path, name, content))
        assert caught.value.code == code
        assert set(opened.films.counts().values()) == {0}


@pytest.mark.parametrize("content", [b"", b"no zip", None])
def test_what_is_no_backup_is_refused(tmp_path, content):
    path = tmp_path / "backup.zip"
    if content is not None:
        path.write_bytes(content)
    with opened_store(tmp_path / "new") as opened, pytest.raises(InputError) as caught:
        restore(opened, path)
    assert caught.value.code == "broken-backup"


def test_without_films_a_backup_is_small_and_the_films_are_missed(reviewed, tmp_path):
    back_up(reviewed, tmp_path / "rows.zip", films=False)
    with zipfile.ZipFile(io.BytesIO((tmp_path / "rows.zip").read_bytes())) as archive:
        assert not [name for name in archive.namelist() if name.startswith("films/")]


def test_a_store_is_copied_into_postgresql(reviewed, postgres, tmp_path, monkeypatch):
    url = postgres.new_url()
    monkeypatch.setenv("MEDCAM_FILMS", str(tmp_path / "films"))
    told = migrate_store(str(reviewed.address.file.parent), url)

    assert "Copied" in told
    with opened_store(url) as opened:
        assert contents(opened) == contents(reviewed)


def test_a_store_is_brought_up_to_date(reviewed):
    assert "up to date" in migrate_store(str(reviewed.address.file.parent), None)
    reviewed.trail.append(AuditDraft("login"))
