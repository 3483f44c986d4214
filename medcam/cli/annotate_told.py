"""What `medcam annotate` says at its end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from medcam.cli.console import ExitCode, say, show

if TYPE_CHECKING:
    from medcam.service.annotate.manifest import Manifest
    from medcam.service.sending.counts import DeliveryCounts

_WORDS = {
    "annotated": "explained and written",
    "skipped": "no image, or known not to be a frontal chest film",
    "quarantined": "refused: see quarantine.jsonl",
    "duplicate": "the same object twice",
}


def exit_code(manifest: Manifest) -> ExitCode:
    """How a run ends: see the command's help."""
    counts = manifest.counts
    if counts.annotated + counts.skipped + counts.duplicate == 0:
        return ExitCode.NOTHING_DONE
    undelivered = manifest.deliveries is not None and manifest.deliveries.undelivered > 0
    return ExitCode.SOME_QUARANTINED if counts.quarantined or undelivered else ExitCode.DONE


def summarise(manifest: Manifest, out: Path | str) -> None:
    """Prints what became of the inputs and where the results are."""
    from dataclasses import asdict

    from rich.table import Table

    from medcam.core.explanation import RESEARCH_USE

    table = Table(title=f"model {manifest.model.name} {manifest.model.version}", title_justify="left")
    table.add_column("inputs")
    table.add_column("films", justify="right")
    table.add_column("", overflow="fold")
    for name, count in asdict(manifest.counts).items():
        table.add_row(name, str(count), _WORDS[name] if count else "")
    show(table)
    if manifest.reused:
        say(f"{manifest.reused} of the annotated films were finished by an earlier run.")
    if manifest.flagged:
        say(f"{manifest.flagged} of the annotated films are unlike the training films: their results are not reliable.")
    say(f"Engine: {manifest.engine.name} {manifest.engine.precision}")
    for note in manifest.engine_notes:
        say(note)
    say(f"Results: {out}/<study>/<instance>/   record of the run: {out}/manifest.json")
    if manifest.quarantined:
        say(f"Refused files, each with a reason: {out}/quarantine.jsonl")
    if manifest.deliveries is not None:
        _tell_deliveries(manifest.deliveries, out)
    say(RESEARCH_USE)


def _tell_deliveries(deliveries: DeliveryCounts, out: Path | str) -> None:
    earlier = f" ({deliveries.already_sent} more by an earlier run)" if deliveries.already_sent else ""
    say(f"Sent: {deliveries.sent} DICOM objects{earlier}")
    if deliveries.refused:
        say(f"Refused by the destination: {deliveries.refused}, with reasons in {out}/deliveries.jsonl")
    if deliveries.failed:
        say(f"Not delivered: {deliveries.failed}, with reasons in {out}/deliveries.jsonl")
        say("Give the same command again to send them: what was accepted is not sent twice.")


def note(quarantined: int) -> str:
    """What stands beside the progress."""
    return f"{quarantined} quarantined" if quarantined else ""
