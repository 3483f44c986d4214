"""`medcam review`: the review pages in a browser."""

from __future__ import annotations

import os
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from medcam.cli.console import say
from medcam.cli.model_options import EngineOption
from medcam.cli.store_options import ANCHOR_MINUTES, AnchorMinutesOption, AnchorToOption, StoreOption
from medcam.core.explanation import RESEARCH_USE
from medcam.service.review_settings import DEFAULT_PORT, HOST, ReviewSettings, read_sign_in

_BY_DEFAULT = ReviewSettings()


def review(
    store: StoreOption = None,
    port: Annotated[int, typer.Option(metavar="N", help="Port of the pages.")] = DEFAULT_PORT,
    address: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to listen on; another one than this needs --sign-in.")
    ] = HOST,
    sign_in: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="TOML file that says how readers sign in: OpenID Connect, or a proxy.",
            show_default="you are the reader",
        ),
    ] = None,
    idle_minutes: Annotated[
        float, typer.Option(metavar="MINUTES", help="A session ends after so long without activity.")
    ] = _BY_DEFAULT.idle_minutes,
    workers: Annotated[
        int,
        typer.Option(
            metavar="N", min=0, help="Processes that explain what is handed in; 0 where `medcam work` runs elsewhere."
        ),
    ] = _BY_DEFAULT.workers,
    engine: EngineOption = _BY_DEFAULT.engine,
    anchor_to: AnchorToOption = None,
    anchor_minutes: AnchorMinutesOption = ANCHOR_MINUTES,
) -> None:
    """Review studies of a store in a browser: what was found, why, and your answer.

    Research use. Not a medical device.
    """
    from medcam.service import review as pages
    from medcam.service.audit.anchoring import anchoring

    kind, given = ("local", {}) if sign_in is None else read_sign_in(sign_in)
    settings = ReviewSettings(address, port, kind, given, idle_minutes, workers, engine)
    named = pages.check_store(store)
    with anchoring(named, anchor_to, anchor_minutes):
        pages.serve_review(named, settings, _announce)


def open_review(store: str | os.PathLike[str] | None) -> None:
    """Serves the pages until Ctrl-C, and opens them in a browser where there is a display.

    Raises:
        UsageError: There is no such store (code "no-store"), or the port is not free (code "port-unavailable").
        ReviewError: The pages cannot be served.
    """
    from medcam.service import review as pages

    pages.serve_review(pages.check_store(store), ReviewSettings(), _announce)


def _announce(address: str) -> None:
    from medcam.service.review import has_display

    say(f"Review: {address}   (Ctrl-C ends it)")
    say(RESEARCH_USE)
    if has_display():
        webbrowser.open(address)
