"""What travels through Ray: JSON texts of inputs, of outcomes and of errors. No pixel and no name of a patient does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from medcam.core.errors import MedcamError, UsageError
from medcam.core.radiograph import Identity
from medcam.service.annotate.inputs import Input, InputFile
from medcam.service.annotate.outcomes import Annotated, Duplicate, Outcome, Quarantined, Skipped
from medcam.service.cluster.found import Found
from medcam.service.cluster.object_input import ObjectInput
from medcam.service.cluster.settings import ClusterError
from medcam.service.cluster.web_input import WebFetcher, web_record

Record = Mapping[str, Any]

_OUTCOMES: Mapping[str, type[Annotated | Skipped | Duplicate | Quarantined]] = {
    kind.__name__: kind for kind in (Annotated, Skipped, Duplicate, Quarantined)
}
_FOUND, _ENDED, _ERROR = "Found", "Ended", "Error"


def to_text(record: Record) -> str:
    """A record as ASCII, whatever bytes a file's name is made of."""
    return json.dumps(record, sort_keys=True)


def input_record(file: Input) -> dict[str, Any]:
    """An input as JSON values; files by absolute paths, which mean the same in every process.

    Raises:
        UsageError: Other machines cannot be told of it (code `not-with-ray`).
    """
    match file:
        case InputFile():
            return {"path": str(file.path.absolute()), "source": file.source, "member": file.member}
        case ObjectInput():
            return {"url": file.url, "source": file.source, "size": file.size}
    if (record := web_record(file)) is not None:
        return record
    raise UsageError(
        "there is an input that many machines cannot be told of",
        code="not-with-ray",
        next_step="Leave --ray out, or put the files into a folder or an object store first.",
    )


def input_of(record: Record, web: WebFetcher | None = None) -> Input:
    """The input of a record.

    Args:
        record: From `input_record`.
        web: What fetches images of DICOMweb services.
    """
    if "url" in record:
        return ObjectInput(record["url"], record["source"], record["size"])
    if "service" in record:
        return (web or WebFetcher()).input_of(record)
    return InputFile(Path(record["path"]), record["source"], record["member"])


def found_record(found: Found) -> dict[str, Any]:
    """What is known of a file that was opened, without the file itself."""
    return {
        "kind": _FOUND,
        "identity": asdict(found.identity),
        "sha256": found.sha256,
        "finished": {str(place): asdict(one) for place, one in found.finished.items()},
    }


def outcome_record(outcome: Outcome) -> dict[str, Any]:
    """What became of an input."""
    return {"kind": type(outcome).__name__, **asdict(outcome)}


def error_record(error: MedcamError) -> dict[str, Any]:
    """An error that ends the run."""
    return {
        "kind": _ERROR,
        "usage": isinstance(error, UsageError),
        "message": error.message,
        "code": error.code,
        "next_step": error.next_step,
    }


def raised(record: Record) -> Record:
    """The record itself.

    Raises:
        UsageError: It is an error that says that the call is wrong.
        ClusterError: It is another error that ends the run, with that error's code.
    """
    if record.get("kind") == _ERROR:
        kind = UsageError if record["usage"] else ClusterError
        raise kind(record["message"], code=record["code"], next_step=record["next_step"])
    return record


def outcome_of(record: Record) -> Outcome:
    """The outcome of a record; raises as `raised`."""
    values = dict(raised(record))
    return _OUTCOMES[values.pop("kind")](**values)


def found_or_outcome(record: Record, file: Input) -> Found | Outcome:
    """What opening a file has led to; raises as `raised`.

    Args:
        record: From `found_record` or `outcome_record`.
        file: The file.
    """
    if record["kind"] != _FOUND:
        return outcome_of(record)
    return Found(
        file=file,
        identity=Identity(**record["identity"]),
        sha256=record["sha256"],
        finished={int(place): Annotated(**one) for place, one in record["finished"].items()},
    )


def ended_record(outcome: Outcome, ends: Mapping[int, Outcome]) -> dict[str, Any]:
    """What became of an input, for the run as a whole and by each model, by the model's place."""
    return {
        "kind": _ENDED,
        "outcome": outcome_record(outcome),
        "ends": {str(place): outcome_record(end) for place, end in ends.items()},
    }


def ended(record: Record) -> tuple[Outcome, dict[int, Outcome]]:
    """What became of an input, as `ended_record` was told; raises as `raised`."""
    ends = {int(place): outcome_of(end) for place, end in raised(record)["ends"].items()}
    return outcome_of(record["outcome"]), ends
