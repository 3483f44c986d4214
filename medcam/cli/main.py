"""The `medcam` command: its groups in the order of a day's work."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from medcam.cli import audit, bench, evaluate, models, phantom, probe, readers, store, tokens
from medcam.cli.annotate import annotate
from medcam.cli.console import reporting_errors
from medcam.cli.deidentify import deidentify
from medcam.cli.demo import demo
from medcam.cli.doctor import doctor
from medcam.cli.experiments import experiments
from medcam.cli.listen import listen
from medcam.cli.review import review
from medcam.cli.serve import serve
from medcam.cli.train import train
from medcam.cli.work import work

_ORDER = (
    "demo",
    "annotate",
    "review",
    "serve",
    "listen",
    "work",
    "models",
    "train",
    "phantom",
    "probe",
    "evaluate",
    "experiments",
    "bench",
    "audit",
    "store",
    "readers",
    "tokens",
    "deidentify",
    "doctor",
)


class _InOrder(TyperGroup):
    """Commands and groups in one fixed order; Typer itself would put all groups last."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401  Typer keeps its type private
        return sorted(super().list_commands(ctx), key=_ORDER.index)


app = typer.Typer(
    cls=_InOrder,
    help="Chest radiographs with findings, and the regions that drove each one, in numbers that add up. "
    "Research use. Not a medical device.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    # Its tracebacks show local variables, and so patient data.
    pretty_exceptions_enable=False,
)
app.command()(demo)
app.command()(annotate)
app.command()(review)
app.command()(serve)
app.command()(listen)
app.command()(work)
app.add_typer(models.app, name="models")
app.command()(train)
app.add_typer(phantom.app, name="phantom")
app.add_typer(probe.app, name="probe")
app.add_typer(evaluate.app, name="evaluate")
app.command()(experiments)
app.add_typer(bench.app, name="bench")
app.add_typer(audit.app, name="audit")
app.add_typer(store.app, name="store")
app.add_typer(readers.app, name="readers")
app.add_typer(tokens.app, name="tokens")
app.command()(deidentify)
app.command()(doctor)


def main() -> None:
    """Runs the command line and ends the process with its exit code."""
    with reporting_errors():
        app(prog_name="medcam")
