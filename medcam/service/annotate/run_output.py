"""The output folder of a run: made ready as it begins, and the record of it as it ends."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from medcam.core.errors import UsageError
from medcam.core.explanation import Engine, ModelReference
from medcam.service.annotate.instance_output import Request
from medcam.service.annotate.manifest import MANIFEST_NAME, Manifest
from medcam.service.annotate.tally import Tally
from medcam.service.explanations.software import software_versions
from medcam.service.output_errors import writing
from medcam.service.sending.counts import DeliveryCounts


def open_output(out: Path) -> None:
    """Makes the output folder and takes away the mark of an earlier run's completeness.

    Raises:
        UsageError: It is a file.
        OutputError: It cannot be written.
    """
    if out.exists() and not out.is_dir():
        raise UsageError("--out is a file", code="output-is-a-file", next_step="Name a folder.")
    with writing():
        out.mkdir(parents=True, exist_ok=True)
        (out / MANIFEST_NAME).unlink(missing_ok=True)
        for part in out.glob(f".{MANIFEST_NAME}.*.part"):
            part.unlink(missing_ok=True)


def manifest_of(
    tally: Tally,
    request: Request,
    engine: tuple[Engine, tuple[str, ...]],
    started: datetime,
    sent: DeliveryCounts | None,
) -> Manifest:
    """The record of a run that has ended.

    Args:
        tally: What became of the inputs.
        request: What was asked of every film.
        engine: What computed the maps, and what else was tried.
        started: When it began.
        sent: What became of objects that were to be sent; None where none were.
    """
    return Manifest(
        model=ModelReference(*request.model),
        options={
            "findings": list(request.findings),
            "outputs": [str(output) for output in request.outputs],
            "allow_out_of_distribution": request.allow_out_of_distribution,
            "method": request.method,
        },
        software=software_versions(),
        started=started,
        finished=datetime.now(UTC),
        annotated=tuple(tally.annotated),
        skipped=tuple(tally.skipped),
        duplicates=tuple(tally.duplicates),
        quarantined=tally.quarantined,
        deliveries=sent,
        engine=engine[0],
        engine_notes=engine[1],
    )
