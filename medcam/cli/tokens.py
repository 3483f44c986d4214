"""`medcam tokens`: who may use the HTTP API, and for what."""

from __future__ import annotations

import getpass
import json as json_module
import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from medcam.cli.audit import JsonOption
from medcam.cli.console import say, show, tell
from medcam.cli.store_options import StoreOption
from medcam.core.api_token import ApiToken, Scope

app = typer.Typer(help="Tokens of the HTTP API.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="What the token is called; submissions belong to this name.")]


@app.command()
def add(
    name: Name,
    store: StoreOption = None,
    scope: Annotated[
        list[Scope] | None, typer.Option(help="May be repeated.", show_default="submit, read", case_sensitive=False)
    ] = None,
    days: Annotated[
        float | None, typer.Option(metavar="DAYS", help="How long it is good.", show_default="for ever")
    ] = None,
) -> None:
    """Make a token and print it, once: the store keeps its digest alone. The audit trail notes it."""
    from medcam.service.studies.opened import opened_store

    with opened_store(store) as opened:
        secret, _ = opened.tokens.add(name, scope or [Scope.SUBMIT, Scope.READ], days=days, by=_by())
    tell("This is shown once:")
    say(secret)


@app.command(name="list")
def list_(store: StoreOption = None, json: JsonOption = False) -> None:
    """Print all tokens, without their secrets."""
    from medcam.service.studies.opened import opened_store

    with opened_store(store, make=False) as opened:
        tokens = opened.tokens.all()
    now = time.time()
    if json:
        typer.echo(json_module.dumps([_fields(token, now) for token in tokens], indent=2))
    else:
        _show(tokens, now)


@app.command()
def revoke(name: Name, store: StoreOption = None) -> None:
    """Make a token good for nothing, from the next request on. The audit trail notes it."""
    from medcam.service.studies.opened import opened_store

    with opened_store(store, make=False) as opened:
        opened.tokens.revoke(name, by=_by())
    say(f"{name} is good for nothing now")


def _by() -> str:
    """Who gives the command, as the trail names them."""
    return f"{getpass.getuser()}@command-line"


def _fields(token: ApiToken, now: float) -> dict[str, object]:
    return {
        "name": token.name,
        "scopes": sorted(token.scopes),
        "good": token.good(now),
        "created": token.created,
        "expires": token.expires,
        "revoked": token.revoked,
    }


def _show(tokens: list[ApiToken], now: float) -> None:
    from rich.table import Table

    table = Table(title="tokens", title_justify="left")
    for title in ("token", "scopes", "good", "expires"):
        table.add_column(title, overflow="fold")
    for token in tokens:
        expires = "never" if token.expires is None else datetime.fromtimestamp(token.expires, UTC).isoformat(" ")[:16]
        table.add_row(token.name, ", ".join(sorted(token.scopes)), "yes" if token.good(now) else "no", expires)
    show(table)
