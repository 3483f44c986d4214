"""`medcam review`: the review page in a browser."""

from __future__ import annotations

import os
import webbrowser
from typing import Annotated

import typer

from medcam.cli.console import say
from medcam.core.explanation import RESEARCH_USE
from medcam.service.review import DEFAULT_PORT, has_display, results_folder, serve_review


def review(
    store: Annotated[
        str | None,
        typer.Option(
            help="Folder that `medcam annotate --out` wrote, finished or under way.", show_default="./medcam-demo"
        ),
    ] = None,
    port: Annotated[int, typer.Option(help="Port of the page on this computer (127.0.0.1).")] = DEFAULT_PORT,
) -> None:
    """Show what a model found on each film, and why, in a browser. Research use. Not a medical device."""
    open_review(store, port)


def open_review(store: str | os.PathLike[str] | None, port: int = DEFAULT_PORT) -> None:
    """Serves the review page until Ctrl-C, and opens it in a browser where there is a display.

    Args:
        store: Folder that `medcam annotate --out` wrote; None for ./medcam-demo.
        port: Port on this computer.

    Raises:
        UsageError: There is no such folder (code "no-results"), or the port is not free (code "port-unavailable").
        ReviewError: The page cannot be served.
    """
    serve_review(results_folder(store), port, _announce)


def _announce(address: str) -> None:
    say(f"Review page: {address}   (Ctrl-C ends it)")
    say(RESEARCH_USE)
    if has_display():
        webbrowser.open(address)
