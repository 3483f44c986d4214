"""`medcam store`: backup, restore, moving and readers of a store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from medcam.cli.console import progress, say, stoppable
from medcam.cli.store_options import StoreOption

app = typer.Typer(help="The store of studies, reviews and the audit trail.", no_args_is_help=True)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The backup, a ZIP.")],
    store: StoreOption = None,
    films: Annotated[bool, typer.Option("--films/--no-films", help="Films too: by far most of its size.")] = True,
) -> None:
    """Write the whole store into one file, while it is in use. It holds patient data."""
    from medcam.service.studies.backup import back_up
    from medcam.service.studies.opened import opened_store

    with opened_store(store, make=False) as opened, stoppable("No backup was written."), progress("backup") as step:
        summary = back_up(opened, file, films=films, progress=lambda done, total: step(done, total, ""))
    say(f"Wrote {sum(summary.rows.values())} rows and {summary.films} files of films to {file}")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `medcam store backup` wrote.")],
    store: StoreOption = None,
) -> None:
    """Fill an empty store from a backup."""
    from medcam.service.studies.backup import restore as fill
    from medcam.service.studies.opened import opened_store

    with opened_store(store) as opened, stoppable("The database was not changed."), progress("restore") as step:
        summary = fill(opened, file, lambda done, total: step(done, total, ""))
    say(f"Restored {sum(summary.rows.values())} rows and {summary.films} files of films")


@app.command()
def migrate(
    store: StoreOption = None,
    to: Annotated[
        str | None, typer.Option(metavar="STORE", help="Copy everything into this empty store, such as PostgreSQL.")
    ] = None,
) -> None:
    """Bring a store's tables up to date, or copy a store into another one, such as from SQLite to PostgreSQL."""
    from medcam.service.studies.migrate import migrate_store

    with stoppable("The new store was not changed."), progress("migrate") as step:
        told = migrate_store(store, to, lambda done, total: step(done, total, ""))
    say(told)
