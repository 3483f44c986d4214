"""`medcam serve`: the HTTP API."""

from __future__ import annotations

import signal
from typing import Annotated

import typer

from medcam.cli.console import ExitCode, say, tell
from medcam.cli.model_options import EngineOption
from medcam.cli.stopping import stop_signals
from medcam.cli.store_options import ANCHOR_MINUTES, AnchorMinutesOption, AnchorToOption, StoreOption
from medcam.core.explanation import RESEARCH_USE
from medcam.models.engines.names import AUTO

_HOST, _PORT = "127.0.0.1", 8600


def serve(
    store: StoreOption = None,
    port: Annotated[int, typer.Option(metavar="N", help="Port of the API.")] = _PORT,
    address: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to listen on; another one than loopback needs tokens.")
    ] = _HOST,
    tokens: Annotated[
        bool | None,
        typer.Option(
            "--tokens/--no-tokens",
            help="Whether requests need a token.",
            show_default="where the store has one, and always beyond loopback",
        ),
    ] = None,
    workers: Annotated[
        int, typer.Option(metavar="N", min=0, help="Processes that explain; 0 where `medcam work` runs elsewhere.")
    ] = 1,
    threads: Annotated[int, typer.Option(metavar="N", min=1, help="Threads of each that read and prepare.")] = 1,
    engine: EngineOption = AUTO,
    service: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="DICOMweb service that submissions may name; may be repeated."),
    ] = None,
    max_mib: Annotated[int, typer.Option(metavar="MIB", min=1, help="Most of one submission.")] = 1024,
    max_open: Annotated[int, typer.Option(metavar="N", min=1, help="Submissions of one client at a time.")] = 100,
    per_minute: Annotated[int, typer.Option(metavar="N", min=1, help="Submissions of one client in a minute.")] = 600,
    hours: Annotated[float, typer.Option(metavar="HOURS", help="A submission is let go of after so long.")] = 24.0,
    stream_seconds: Annotated[
        float, typer.Option(metavar="SECONDS", min=1.0, help="A stream of events is asked for anew after so long.")
    ] = 3600.0,
    anchor_to: AnchorToOption = None,
    anchor_minutes: AnchorMinutesOption = ANCHOR_MINUTES,
) -> None:
    """Serve the HTTP API of the CAM service; /docs describes it. Research use. Not a medical device."""
    from medcam.server.api.settings import ApiSettings
    from medcam.server.logs import log_as_json_lines
    from medcam.server.serve import run_api
    from medcam.service.audit.anchoring import anchoring
    from medcam.service.submissions.box import SubmissionLimits

    settings = ApiSettings(
        store=store,
        address=address,
        port=port,
        workers=workers,
        threads=threads,
        engine=engine,
        tokens=tokens,
        services=tuple(service or ()),
        limits=SubmissionLimits(bytes=max_mib << 20, open=max_open, hours=hours),
        per_minute=per_minute,
        stream_seconds=stream_seconds,
    )
    log_as_json_lines()
    with stop_signals() as (stop, heard), anchoring(store, anchor_to, anchor_minutes):
        run_api(settings, stop, _announce)
    if signal.SIGINT in heard:
        tell("interrupted. What was handed in is kept.")
        raise typer.Exit(ExitCode.INTERRUPTED)


def _announce(address: str, tokens: bool) -> None:
    say(f"API: {address}/docs   (Ctrl-C ends it)")
    say("Requests need a token." if tokens else "No tokens: every program on this computer may ask.")
    say(RESEARCH_USE)
