"""`medcam audit`: what happened, whether the trail is whole, whether a decision can be had again."""

from __future__ import annotations

import json as json_module
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medcam.cli.audit_report import report
from medcam.cli.console import ExitCode, progress, say, show, stoppable
from medcam.cli.store_options import StoreOption

if TYPE_CHECKING:
    from medcam.service.audit.replay import Replay
    from medcam.service.audit.verify import Verification
    from medcam.service.audit.verify_records import RecordsVerification
    from medcam.store import AuditEvent

app = typer.Typer(help="What was done to studies by whom, and whether that record is whole.", no_args_is_help=True)

MOST_SHOWN = 20
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]


@app.command()
def log(
    store: StoreOption = None,
    kind: Annotated[str, typer.Option(metavar="KIND", help="Of this kind alone, such as review-added.")] = "",
    reader: Annotated[str, typer.Option(metavar="SUBJECT@ISSUER", help="By this reader alone.")] = "",
    study: Annotated[str, typer.Option(metavar="ID", help="About this study alone: its 16 digits.")] = "",
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="How many, the newest first.")] = 50,
    json: JsonOption = False,
) -> None:
    """Print events of the audit trail, the newest first."""
    from medcam.service.studies.opened import opened_store
    from medcam.store import find_events

    with opened_store(store, make=False) as opened:
        events = find_events(opened.store, kind=kind, reader=reader, study=study, limit=limit)
    if json:
        typer.echo(json_module.dumps([{**asdict(event), "body": event.details} for event in events], indent=2))
    else:
        _show_events(events)


@app.command()
def verify(
    store: StoreOption = None,
    key: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Private or public key of the trail.", show_default="$MEDCAM_AUDIT_KEY"),
    ] = None,
    anchor: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File or log with anchors that `medcam audit anchor` wrote.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Go through the whole trail, and name the first event that was edited, moved, removed or slipped in.

    Then every explanation and every answer of the store is held against the event that noted it. Ends with 0 when all
    is whole, 1 when it is not, 3 when it cannot be read. Without an anchor the tail is unproven: events that were cut
    off its end leave no trace. STORE may also be the results folder of `medcam annotate --out`: then every result is
    checked against its receipt, the manifest and its own arithmetic.
    """
    from medcam.service.audit.results import results_folder

    if (folder := results_folder(store)) is not None:
        from medcam.cli.audit_results import verify_folder

        verify_folder(folder, json=json)
    from medcam.service.audit.anchor import read_anchors
    from medcam.service.audit.key import key_path, read_verifier
    from medcam.service.audit.verify import verify_trail
    from medcam.service.audit.verify_records import verify_records
    from medcam.service.studies.opened import open_database

    verifier = read_verifier(key or key_path())
    anchors = read_anchors(anchor) if anchor else []
    with open_database(store) as database, stoppable("Nothing was changed."), progress("verify") as step:
        total = database.events()
        found = verify_trail(database.store, verifier, anchors, lambda number: step(number, total, ""))
        # A trail that is not whole is no witness for the records.
        records = verify_records(database.store) if found.intact else None
    intact = records is not None and records.intact
    if json:
        fields = {**asdict(found), "intact": intact, "tail_proven": found.tail_proven}
        typer.echo(json_module.dumps({**fields, "records": None if records is None else asdict(records)}))
    else:
        _tell_verification(found)
        if records is not None:
            _tell_records(records)
    raise typer.Exit(ExitCode.DONE if intact else ExitCode.SOME_QUARANTINED)


@app.command()
def anchor(
    store: StoreOption = None,
    to: Annotated[
        str, typer.Option(metavar="FILE", help="File that the anchor is added to; - for standard output; or syslog.")
    ] = "-",
) -> None:
    """Write down the trail's head where whoever holds the database cannot reach it."""
    from medcam.service.audit.anchor import STDOUT, make_anchor, write_anchor
    from medcam.service.studies.opened import open_database

    with open_database(store) as database:
        made = make_anchor(database.store)
    if to == STDOUT:
        say(made.line)
    else:
        write_anchor(made, to)
        say(f"Anchored event {made.number} in {to}")


@app.command()
def replay(
    explanation: Annotated[str | None, typer.Argument(metavar="ID", help="An explanation's 16 digits.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Replay every explanation of the store.")] = False,
    store: StoreOption = None,
    source: Annotated[
        list[str] | None,
        typer.Option(metavar="PATH", help="Where the films of a results folder lie: as for `annotate`; repeatable."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The model, where it is not known by the name that was kept: its folder."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Compute an explanation again from the film's own file and the model, and say equal or where it differs.

    STORE may also be the results folder of `medcam annotate --out`; --source says where its films lie. Ends with 0
    when all are equal, 1 when one differs or cannot be replayed.
    """
    from medcam.service.audit.results import results_folder

    if (explanation is None) == (not every):
        raise typer.BadParameter("name an explanation, or give --all")
    wanted = None if explanation is None else [explanation]
    if (folder := results_folder(store)) is not None:
        from medcam.cli.audit_results import replay_folder

        results = replay_folder(folder, source or [], wanted, model)
    else:
        results = _replay_store(store, wanted, model)
    if json:
        typer.echo(json_module.dumps([asdict(result) for result in results], indent=2))
    else:
        _tell_replays(results)
    different = any(result.verdict != "equal" for result in results)
    raise typer.Exit(ExitCode.SOME_QUARANTINED if different else ExitCode.DONE)


app.command()(report)


def _replay_store(store: str | None, wanted: list[str] | None, model: str | None) -> list[Replay]:
    from medcam.service.audit.replay_all import replay_all
    from medcam.service.studies.opened import opened_store

    with opened_store(store, make=False) as opened, stoppable("Nothing was changed."), progress("replay") as step:
        return replay_all(opened, wanted, model, lambda done, total: step(done, total, ""))


def _show_events(events: list[AuditEvent]) -> None:
    from rich.table import Table

    table = Table(title="audit trail, newest first", title_justify="left")
    for title in ("event", "time (UTC)", "kind", "by", "study", "details"):
        table.add_column(title, overflow="fold", justify="right" if title == "event" else "left")
    for event in events:
        time = event.time.replace("T", " ")[:19]
        table.add_row(str(event.number), time, event.kind, event.reader, event.study, _short(event.body))
    show(table)


def _short(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:117]}..."


def _tell_verification(found: Verification) -> None:
    if found.fault is not None:
        say(f"NOT WHOLE. Event {found.number}: {found.fault.words} [{found.fault}]")
        say("Keep a copy of the database as it is, and compare it with a backup.")
        return
    say(f"Whole: {found.events} events, each as it was signed.")
    if found.tail_proven:
        say("The tail is proven: an anchor names the last event.")
    elif found.proven:
        say(f"Proven by an anchor up to event {found.proven}; the tail after it is unproven.")
    else:
        say("Tail unproven: no anchor was given. Events cut off the end would leave no trace.")


def _tell_records(found: RecordsVerification) -> None:
    for one in found.faults[:MOST_SHOWN]:
        event = f" (event {one.event})" if one.event else ""
        say(f"{one.kind} {one.id}: {one.fault.words}{event} [{one.fault}]")
    if len(found.faults) > MOST_SHOWN:
        say(f"and {len(found.faults) - MOST_SHOWN} more; --json names them")
    counted = f"{found.explanations} explanations and {found.reviews} answers"
    if found.intact:
        say(f"{counted}, each as the trail noted it.")
    else:
        say(f"NOT AS NOTED: {len(found.faults)} of the records that the trail noted or the store holds ({counted}).")
        say("Keep a copy of the database as it is, and compare it with a backup.")


def _tell_replays(results: list[Replay]) -> None:
    for result in results:
        if result.reason:
            say(f"{result.explanation}: {result.verdict} [{result.code}]: {result.reason}")
        else:
            gap = f"largest difference {result.largest:.1e}, at most {result.tolerance:g} in a score"
            code = f" [{result.code}]" if result.code else ""
            say(f"{result.explanation}: {result.verdict}{code} on {result.engine} ({gap})")
        for version in result.versions:
            say(f"  {version}")
        for difference in result.differences[:10]:
            say(f"  {difference}")
        if len(result.differences) > 10:
            say(f"  and {len(result.differences) - 10} more")
    counts = {verdict: sum(result.verdict == verdict for result in results) for verdict in ("equal", "different")}
    impossible = len(results) - sum(counts.values())
    say(f"{counts['equal']} equal, {counts['different']} different, {impossible} impossible")
