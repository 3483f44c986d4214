"""`medcam work`: a process that explains what was handed in to a store."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Annotated

import typer

from medcam.cli.console import ExitCode, say, tell
from medcam.cli.model_options import EngineOption
from medcam.cli.stopping import stop_signals
from medcam.cli.store_options import ANCHOR_MINUTES, AnchorMinutesOption, AnchorToOption, StoreOption
from medcam.models.engines.names import AUTO
from medcam.service.jobs.processes import PARENT_VARIABLE


def work(
    store: StoreOption = None,
    threads: Annotated[int, typer.Option(min=1, metavar="N", help="Threads that read and prepare films.")] = 1,
    engine: EngineOption = AUTO,
    anchor_to: AnchorToOption = None,
    anchor_minutes: AnchorMinutesOption = ANCHOR_MINUTES,
) -> None:
    """Explain what is handed in to a store, such as by the page Explore. Research use. Not a medical device.

    `medcam review` starts one of its own; more may run, on this machine or on others that share the store and its
    folder of films. SIGTERM and Ctrl-C end it in good order, and what a killed one left is taken up by another.
    """
    from medcam.server.logs import log_as_json_lines
    from medcam.server.work import WorkOptions, run_worker
    from medcam.service.audit.anchoring import anchoring

    log_as_json_lines()
    with stop_signals() as (stop, heard):
        if PARENT_VARIABLE in os.environ:
            threading.Thread(target=_outlived, args=(stop,), name="medcam-parent", daemon=True).start()
        with anchoring(store, anchor_to, anchor_minutes):
            run_worker(WorkOptions(store, threads, engine=engine), stop, lambda: say("Working   (Ctrl-C ends it)"))
    if signal.SIGINT in heard:
        tell("interrupted. What was handed in is kept: start a worker again to go on.")
        raise typer.Exit(ExitCode.INTERRUPTED)


def _outlived(stop: threading.Event) -> None:
    """Ends with the process at the other end of standard input, however that one ends."""
    while sys.stdin.buffer.read(1024):
        pass
    stop.set()
