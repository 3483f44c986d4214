"""`medcam audit` on a results folder: what `medcam annotate --out` wrote, where there is no store."""

from __future__ import annotations

import json as json_module
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, NoReturn

import typer

from medcam.cli.console import ExitCode, progress, say, stoppable

if TYPE_CHECKING:
    from medcam.service.audit.replay import Replay
    from medcam.service.audit.results import ResultsFolder
    from medcam.service.audit.verify_results import ResultsVerification

MOST_SHOWN = 20


def verify_folder(folder: ResultsFolder, *, json: bool) -> NoReturn:
    """Verifies a results folder, says what was found and ends the command."""
    from medcam.service.audit.verify_results import verify_results

    found = verify_results(folder)
    if json:
        say(json_module.dumps({**asdict(found), "intact": found.intact}))
    else:
        _tell(found)
    raise typer.Exit(ExitCode.DONE if found.intact else ExitCode.SOME_QUARANTINED)


def replay_folder(
    folder: ResultsFolder, sources: Sequence[str], wanted: Sequence[str] | None, model: str | None
) -> list[Replay]:
    """Replays results of a folder."""
    from medcam.service.audit.replay_all import replay_results
    from medcam.service.audit.results import folder_sources

    with stoppable("Nothing was changed."), progress("replay") as step:
        found = folder_sources(sources, folder.path)
        return replay_results(folder, found, wanted, model, lambda done, total: step(done, total, ""))


def _tell(found: ResultsVerification) -> None:
    for fault in found.faults[:MOST_SHOWN]:
        where, detail = fault.result or "the folder", f" ({fault.detail})" if fault.detail else ""
        say(f"{where}: {fault.fault.words}{detail} [{fault.fault}]")
    if len(found.faults) > MOST_SHOWN:
        say(f"and {len(found.faults) - MOST_SHOWN} more; --json names them")
    if found.intact:
        say(f"Whole: {found.results} results, each as its receipt says, and each adds up.")
    else:
        say(f"NOT WHOLE: {len(found.faults)} faults in {found.results} results.")
    if found.undigested:
        say(f"{found.undigested} have no digest on record: an older medcam wrote them.")
    if found.unlisted:
        say(f"{found.unlisted} are of another run than the manifest's.")
    say("A results folder is not signed. Replay computes its results again; a store has a signed trail.")
