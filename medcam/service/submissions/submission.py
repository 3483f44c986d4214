"""A submission, and the folder in which it lies until it is let go of.

    SUBMISSIONS/<id>/submission.json      who handed it in, when, and what is asked for
    SUBMISSIONS/<id>/inputs/<n>.dcm       the files, numbered; the names that they came with are not kept
    SUBMISSIONS/<id>/results/             as `medcam annotate --out` writes them
    SUBMISSIONS/<id>/films/               what a viewer needs (`medcam.service.submissions.held_films`)
    SUBMISSIONS/<id>/progress.json        how far the work is

Submissions lie in the folder of films of their store: whoever works on them, on this machine or another, has it.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from medcam.core.errors import InputError, InvalidValueError
from medcam.service.atomic import write_text
from medcam.service.output_errors import writing

FOLDER_NAME = "submissions"
EXPLAIN = "explain"
"""Kind of the jobs by which submissions are explained."""
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Submission:
    """What was handed in.

    Args:
        id: 32 hexadecimal digits, drawn at random: who does not know it cannot guess it.
        owner: Who handed it in; nobody else is shown it.
        created: Seconds since 1970 UTC.
        model: Name of the model that is asked.
        method: Attribution method; empty for the one of the model's head.
        outputs: What is written for each film, as `medcam annotate --write` names it.
        files: How many files.
        bytes: Of all files.
        source: What is fetched from a DICOMweb service, as `medcam annotate` takes it; empty for files handed in.
        hours: It is let go of after so long. On record, since whoever works on it may be told something else.
        most_files: That may be fetched from `source`.
        most_bytes: Of all of them.
    """

    id: str
    owner: str
    created: float
    model: str
    method: str = ""
    outputs: tuple[str, ...] = ("json",)
    files: int = 0
    bytes: int = 0
    source: str = ""
    hours: float = 24.0
    most_files: int = 2_000
    most_bytes: int = 1 << 30

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise InvalidValueError("the id of a submission has 32 hexadecimal digits")

    @property
    def expires(self) -> float:
        """When it is let go of, in seconds since 1970 UTC."""
        return self.created + 3600.0 * self.hours

    @property
    def key(self) -> str:
        """Key of its job."""
        return f"{EXPLAIN}:{self.id}"


@dataclass(frozen=True, slots=True)
class SubmissionFolder:
    """Where a submission lies.

    Args:
        path: Its folder.
    """

    path: Path = field(repr=False)

    @property
    def inputs(self) -> Path:
        """The files that were handed in."""
        return self.path / "inputs"

    @property
    def results(self) -> Path:
        """What `annotate` makes of them."""
        return self.path / "results"

    @property
    def films(self) -> Path:
        """What a viewer needs."""
        return self.path / "films"

    def write(self, submission: Submission) -> None:
        """Writes the record of a submission.

        Raises:
            OutputError: The disk refuses it.
        """
        with writing():
            write_text(self.path / "submission.json", json.dumps(asdict(submission)))

    def read(self) -> Submission:
        """The record of the submission.

        Raises:
            InputError: There is none, or no longer (code `no-such-submission`).
        """
        try:
            fields = json.loads((self.path / "submission.json").read_text(encoding="utf-8"))
            return Submission(**{**fields, "outputs": tuple(fields["outputs"])})
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise no_such_submission() from error

    def write_progress(self, done: int, total: int) -> None:
        """Notes how far the work is.

        Raises:
            OutputError: The disk refuses it.
        """
        with writing():
            write_text(self.path / "progress.json", json.dumps({"done": done, "total": total}))

    def progress(self) -> tuple[int, int]:
        """Inputs dealt with, and all; (0, 0) before the work begins."""
        found: dict[str, Any] = read_json(self.path / "progress.json")
        return int(found.get("done", 0)), int(found.get("total", 0))


def new_id() -> str:
    """An id that nobody can guess."""
    return secrets.token_hex(16)


def is_id(text: str) -> bool:
    """Whether a text may be the id of a submission."""
    return _ID.fullmatch(text) is not None


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty where the file is absent or is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def too_large(what: str) -> InputError:
    """More than a submission may have.

    Args:
        what: That it has.
    """
    return InputError(
        f"a submission has {what}",
        code="submission-too-large",
        next_step="Hand in less at a time, or use `medcam annotate` for whole archives.",
    )


def no_such_submission() -> InputError:
    """Nobody handed it in, it belongs to somebody else, or it was let go of: all three look the same."""
    return InputError(
        "there is no such submission",
        code="no-such-submission",
        next_step="Submissions are let go of after a day; hand the files in again.",
    )
