"""A store in one file, and back: a ZIP of all rows and films that no kind of database is needed to read.

manifest.json             what it is: form of the rows, counts, when it was made, digests of its members
tables/<name>.jsonl       a row per line; binary values in base 64
films/<2 digits>/<file>   as in the store's folder of films
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from medcam.core.errors import InputError
from medcam.service.output_errors import writing
from medcam.service.studies.opened import OpenedStore
from medcam.store import AuditDraft, StoreError
from medcam.store.dump import dump_rows, load_rows, loadable, revision, table_names

MANIFEST = "manifest.json"
FORM = "medcam-store-1"
_BLOCK = 1 << 20

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class BackupSummary:
    """What a backup holds: rows by table, and files of films."""

    rows: dict[str, int]
    films: int


def back_up(
    opened: OpenedStore, path: Path, *, films: bool = True, progress: Progress = lambda _done, _total: None
) -> BackupSummary:
    """Writes a backup; readers and writers of the store go on meanwhile, and it holds one moment of the database.

    Args:
        opened: The store.
        path: The file; it is whole or absent.
        films: Whether the films are in it too: by far most of its size.
        progress: Called with how many parts are written, and of how many.

    Raises:
        OutputError: The file cannot be written.
        StoreError: The database cannot be read.
    """
    files = list(opened.files.all()) if films else []
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    total = len(table_names()) + len(files)
    digests: dict[str, str] = {}
    rows: dict[str, int] = {}
    with writing():
        try:
            with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
                with opened.store.read() as session:
                    for done, name in enumerate(table_names(), start=1):
                        member = f"tables/{name}.jsonl"
                        lines = (json.dumps(row).encode("utf-8") + b"\n" for row in dump_rows(session, name))
                        rows[name], digests[member] = _write_lines(archive, member, lines)
                        progress(done, total)
                for done, file in enumerate(files, start=len(rows) + 1):
                    member = f"films/{file.parent.name}/{file.name}"
                    digests[member] = _write_file(archive, member, file)
                    progress(done, total)
                archive.writestr(MANIFEST, json.dumps(_manifest(rows, len(files), digests), indent=1))
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    body = {"rows": sum(rows.values()), "films": len(files), "sha256": _file_digest(path)}
    opened.trail.append(AuditDraft("store-backed-up", body=body))
    return BackupSummary(rows, len(files))


def restore(opened: OpenedStore, path: Path, progress: Progress = lambda _done, _total: None) -> BackupSummary:
    """Fills an empty store from a backup: the database in one step, after all films.

    Args:
        opened: The store.
        path: The backup.
        progress: As in `back_up`.

    Raises:
        InputError: The file is no backup, is damaged (code `broken-backup`), or was made by a newer medcam (code
            `backup-version`).
        StoreError: The store is not empty (code `store-not-empty`), or the database cannot be used.
        OutputError: The films cannot be written.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = _read_manifest(archive)
            rows = {name: _read_lines(archive, f"tables/{name}.jsonl", manifest) for name in manifest["rows"]}
            members = [name for name in manifest["sha256"] if name.startswith("films/")]
            # A first look at every row: a damaged member must be found before anything is written.
            for name in manifest["rows"]:
                for _ in _read_lines(archive, f"tables/{name}.jsonl", manifest):
                    pass
            for done, member in enumerate(members, start=1):
                _restore_film(opened, archive, member, manifest["sha256"][member])
                progress(done, len(members))
            counts = load_rows(opened.store, rows)
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, EOFError) as error:
        raise _broken(type(error).__name__) from error
    # A backup of an older medcam knows nothing of tables that came since.
    if counts != {name: manifest["rows"].get(name, 0) for name in counts}:
        raise StoreError("the backup holds other numbers of rows than it says")
    opened.trail.append(AuditDraft("store-restored", body={"sha256": _file_digest(path)}))
    return BackupSummary(counts, len(members))


def _manifest(rows: dict[str, int], films: int, digests: dict[str, str]) -> dict[str, Any]:
    return {
        "form": FORM,
        "revision": revision(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "rows": rows,
        "films": films,
        "sha256": digests,
    }


def _read_manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(archive.read(MANIFEST))
    if manifest["form"] != FORM or not loadable(manifest["revision"]):
        raise InputError(
            f"the backup was made by a newer medcam (form {manifest['form']}, tables {manifest['revision']})",
            code="backup-version",
            next_step="Restore it with the medcam that made it, or a newer one.",
        )
    return manifest


def _write_lines(archive: zipfile.ZipFile, member: str, lines: Iterator[bytes]) -> tuple[int, str]:
    digest, count = hashlib.sha256(), 0
    with archive.open(member, "w", force_zip64=True) as file:
        for line in lines:
            file.write(line)
            digest.update(line)
            count += 1
    return count, digest.hexdigest()


def _write_file(archive: zipfile.ZipFile, member: str, path: Path) -> str:
    digest = hashlib.sha256()
    # Films are packed already.
    info = zipfile.ZipInfo(member, date_time=(1980, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_STORED
    with path.open("rb") as source, archive.open(info, "w", force_zip64=True) as file:
        for block in _blocks(source):
            file.write(block)
            digest.update(block)
    return digest.hexdigest()


def _read_lines(archive: zipfile.ZipFile, member: str, manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    digest = hashlib.sha256()
    with archive.open(member) as file:
        for line in file:
            digest.update(line)
            yield json.loads(line)
    if digest.hexdigest() != manifest["sha256"][member]:
        raise _broken(member)


def _restore_film(opened: OpenedStore, archive: zipfile.ZipFile, member: str, sha256: str) -> None:
    data = archive.read(member)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise _broken("a film")
    name = Path(member).name
    digest, _, suffix = name.partition(".")
    if suffix == "film":
        opened.files.keep_pixels(digest, data)
    elif suffix == "dcm":
        opened.files.keep_source(digest, None, data)
    else:
        raise _broken("a member of an unknown kind")


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(_BLOCK):
        yield block


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _broken(what: str) -> InputError:
    return InputError(
        f"the backup is damaged, or is none ({what})",
        code="broken-backup",
        next_step="Use another backup; nothing in the database was changed.",
    )
