"""`medcam doctor`: what is installed and what is not."""

from __future__ import annotations

from typing import Annotated

import typer

from medcam.cli.console import say, show


def doctor(
    json: Annotated[bool, typer.Option("--json", help="Print the checks as JSON on standard output.")] = False,
) -> None:
    """Tell what is installed, what works and what does not; ends with 1 when something needed does not work."""
    from dataclasses import asdict
    from json import dumps

    from rich.table import Table

    from medcam.service.doctor import examine

    checks = examine()
    if json:
        typer.echo(dumps([asdict(check) for check in checks], indent=1, ensure_ascii=False))
        raise typer.Exit(int(any(check.failed for check in checks)))
    table = Table("", "", "", show_header=False, box=None)
    for check in checks:
        word = "ok" if check.ok else "MISSING" if check.needed else "optional"
        table.add_row(word, check.name, check.value)
    show(table)
    for check in checks:
        if check.next_step:
            say(f"{check.name}: {check.next_step}")
    raise typer.Exit(int(any(check.failed for check in checks)))
