"""`medcam readers`: who may sign in to the review pages, as what, and which studies are theirs."""

from __future__ import annotations

import getpass
import json as json_module
from typing import TYPE_CHECKING, Annotated

import typer

from medcam.cli.audit import JsonOption
from medcam.cli.console import say, show
from medcam.cli.store_options import StoreOption
from medcam.core.errors import UsageError
from medcam.core.reader import Role

if TYPE_CHECKING:
    from medcam.core.reader import Reader
    from medcam.service.studies.opened import OpenedStore

app = typer.Typer(help="Who may sign in to the review pages, and which studies are theirs.", no_args_is_help=True)

Subject = Annotated[str, typer.Argument(metavar="SUBJECT", help="What the issuer calls the reader; never reused.")]
Issuer = Annotated[
    str,
    typer.Option(metavar="ISSUER", help="Who vouches for them: the address of an OIDC provider, `proxy`, or `local`."),
]
Studies = Annotated[list[str], typer.Option("--study", metavar="ID", help="A study's 16 digits; may be repeated.")]


@app.command(name="list")
def list_(store: StoreOption = None, json: JsonOption = False) -> None:
    """Print all readers."""
    from medcam.service.studies.opened import opened_store

    with opened_store(store, make=False) as opened:
        readers = opened.readers.all()
    if json:
        typer.echo(json_module.dumps([_fields(reader) for reader in readers], indent=2))
    else:
        _show(readers)


@app.command(name="set")
def set_(
    subject: Subject,
    store: StoreOption = None,
    issuer: Issuer = "local",
    name: Annotated[str, typer.Option(metavar="NAME", help="What they are called.", show_default="SUBJECT")] = "",
    role: Annotated[
        list[Role] | None, typer.Option(help="May be repeated.", show_default="reader", case_sensitive=False)
    ] = None,
    everything: Annotated[
        bool, typer.Option("--everything/--assigned", help="May read every study, or those that are assigned.")
    ] = False,
    active: Annotated[bool, typer.Option("--active/--inactive", help="May sign in.")] = True,
) -> None:
    """Make a reader, or change one. The audit trail notes it."""
    from medcam.service.studies.opened import opened_store

    with opened_store(store) as opened:
        reader = opened.readers.set(
            issuer,
            subject,
            name=name or subject,
            roles=role or [Role.READER],
            everything=everything,
            active=active,
            by=_by(),
        )
    _show([reader])


@app.command()
def assign(subject: Subject, study: Studies, store: StoreOption = None, issuer: Issuer = "local") -> None:
    """Ask a reader to read studies."""
    from medcam.service.studies.opened import opened_store

    with opened_store(store, make=False) as opened:
        number = opened.readers.assign(_known(opened, issuer, subject), study, by=_by())
    say(f"{number} studies are new to {subject}@{issuer}")


@app.command()
def withdraw(subject: Subject, study: Studies, store: StoreOption = None, issuer: Issuer = "local") -> None:
    """Take studies back from a reader. What they answered is kept."""
    from medcam.service.studies.opened import opened_store

    with opened_store(store, make=False) as opened:
        number = opened.readers.withdraw(_known(opened, issuer, subject), study, by=_by())
    say(f"{number} studies were taken back from {subject}@{issuer}")


def _by() -> str:
    """Who gives the command, as the trail names them."""
    return f"{getpass.getuser()}@command-line"


def _known(opened: OpenedStore, issuer: str, subject: str) -> Reader:
    reader = opened.readers.find(issuer, subject)
    if reader is None:
        raise UsageError(
            f"there is no reader {subject}@{issuer}",
            code="no-such-reader",
            next_step="Make one with `medcam readers set`; `medcam readers list` shows those that are there.",
        )
    return reader


def _fields(reader: Reader) -> dict[str, object]:
    return {
        "issuer": reader.issuer,
        "subject": reader.subject,
        "name": reader.name,
        "roles": sorted(reader.roles),
        "everything": reader.everything,
        "active": reader.active,
    }


def _show(readers: list[Reader]) -> None:
    from rich.table import Table

    table = Table(title="readers", title_justify="left")
    for title in ("reader", "name", "roles", "studies", "may sign in"):
        table.add_column(title, overflow="fold")
    for reader in readers:
        studies = "all" if reader.everything else "assigned"
        table.add_row(
            reader.label, reader.name, ", ".join(sorted(reader.roles)), studies, "yes" if reader.active else "no"
        )
    show(table)
