"""Trust on first use: the digest of a file whose publisher names none is kept, and must be the same ever after."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from medcam.core.errors import ModelError
from medcam.core.folders import data_folder
from medcam.models.published.download import Downloaded, wrong_digest


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as it was when it was first downloaded.

    Attributes:
        sha256: Of its bytes.
        size: Bytes.
        first: When, UTC, ISO 8601.
    """

    sha256: str
    size: int
    first: str


def record_file() -> Path:
    """`$XDG_DATA_HOME/medcam/downloads.json`."""
    return data_folder() / "downloads.json"


def seen(url: str) -> Seen | None:
    """What is on record of an address; None for an address that is new.

    Raises:
        ModelError: The record cannot be read (code "download-record").
    """
    fields = _read().get(url)
    return Seen(**fields) if fields else None  # type: ignore[arg-type]


def check_and_record(url: str, downloaded: Downloaded) -> Seen:
    """Compares a download with the record, or begins one.

    Raises:
        ModelError: The file was another one at first (code "download-digest"), or the record cannot be read
            ("download-record").
    """
    known = seen(url)
    if known is not None:
        if known.sha256 != downloaded.sha256:
            raise wrong_digest(url, known.sha256, downloaded.sha256)
        return known
    made = Seen(downloaded.sha256, downloaded.size, datetime.now(UTC).isoformat(timespec="seconds"))
    path = record_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(_read() | {url: asdict(made)}, indent=1) + "\n", encoding="utf-8")
    part.replace(path)
    return made


def _read() -> dict[str, dict[str, object]]:
    try:
        text = record_file().read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    try:
        found = json.loads(text)
        if isinstance(found, dict) and all(set(one) == {"sha256", "size", "first"} for one in found.values()):
            return found
    except (ValueError, TypeError, AttributeError):
        pass
    raise ModelError(
        f"the record of downloads {record_file()} is damaged",
        code="download-record",
        next_step="Restore it. Without it nobody knows which files were downloaded first.",
    )
