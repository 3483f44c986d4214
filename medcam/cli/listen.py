"""`medcam listen`: a DICOM node that annotates what it receives."""

from __future__ import annotations

import signal
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medcam.cli.console import ExitCode, say, tell
from medcam.cli.model_options import EngineOption, MethodOption, ModelOption
from medcam.cli.stopping import stop_signals
from medcam.core.errors import UsageError
from medcam.core.explanation import RESEARCH_USE
from medcam.dicom.network.destination import DimseDestination, is_web, parse_destination
from medcam.dicom.network.scp_settings import ScpSettings, server_tls
from medcam.dicom.network.security import Security, headers_from_environment
from medcam.service.annotate.options import AnnotateOptions, parse_outputs
from medcam.service.jobs.retrying import RetryPolicy
from medcam.service.node.options import NodeOptions, default_data_folder

if TYPE_CHECKING:
    from medcam.server.node import Doors

_BY_DEFAULT = AnnotateOptions()
_GIGABYTE, _MEGABYTE = 1_000_000_000, 1_000_000


def listen(
    aet: Annotated[str, typer.Option(metavar="T", help="AE title of this node; callers must call it so.")] = "MEDCAM",
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="DICOM port; 0 for a free one.")] = 11112,
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Address to listen on.")] = "127.0.0.1",
    send_to: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DESTINATION",
            help="Where results go: AET@HOST:PORT, dicomweb://HOST[:PORT]/PATH or dicomwebs://...; may be repeated.",
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The node's data.", show_default="$XDG_DATA_HOME/medcam/node"),
    ] = None,
    model: ModelOption = _BY_DEFAULT.model,
    method: MethodOption = None,
    engine: EngineOption = _BY_DEFAULT.engine,
    write: Annotated[str, typer.Option(metavar="LIST", help="As for `medcam annotate`.")] = "sc,seg,sr",
    allow_aet: Annotated[
        list[str] | None,
        typer.Option(metavar="T", help="Calling AE title that is let in; may be repeated. Without it: any."),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS",
            help="Address or network that is let in, such as 192.0.2.0/24; may be repeated.",
            show_default="this computer, or any where --host is not its own",
        ),
    ] = None,
    peer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="AET@HOST:PORT",
            help="Where a caller of this AE title listens for reports on storage commitment; may be repeated.",
        ),
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Certificate of this node: turns TLS on.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="Its private key.")] = None,
    tls_ca: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Authority of callers' certificates, which are then required.")
    ] = None,
    send_tls_ca: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Authority of destinations' certificates; turns TLS on.")
    ] = None,
    send_tls_cert: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Certificate shown to destinations; turns TLS on.")
    ] = None,
    send_tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="Its private key.")] = None,
    quiet: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="A study is complete when nothing came for so long.")
    ] = 10.0,
    attempts: Annotated[int, typer.Option(metavar="N", min=1, help="Tries to send before it is given up.")] = 10,
    retry_wait: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", min=0, help="Before the second try; four times longer each time, an hour at most."
        ),
    ] = 2.0,
    retry_dead: Annotated[bool, typer.Option("--retry-dead", help="Try again what was given up.")] = False,
    keep_days: Annotated[
        float, typer.Option(metavar="DAYS", min=0, help="Keep finished studies so long; 0 for ever.")
    ] = 30.0,
    quota: Annotated[
        float | None, typer.Option(metavar="GB", min=0.001, help="Most that --data may hold.", show_default="the disk")
    ] = None,
    max_object: Annotated[float, typer.Option(metavar="MB", min=0.001, help="Largest object taken.")] = 512.0,
    max_associations: Annotated[int, typer.Option(metavar="N", min=1, help="Associations at a time.")] = 10,
    max_pdu: Annotated[int, typer.Option(metavar="BYTES", min=4096, max=1 << 20, help="Longest PDU.")] = 1 << 16,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, help="Silence after which a caller is let go.")
    ] = 60.0,
    health_port: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=0, max=65535, help="Health and metrics over HTTP, on 127.0.0.1.", show_default="none"
        ),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(
            metavar="STORE", help="Keep films and jobs in this store, for `medcam review`.", show_default="none"
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Threads that read, prepare and write.", show_default="cores")
    ] = None,
) -> None:
    """Receive studies over DICOM, annotate them and send the results back. Research use. Not a medical device.

    An object is acknowledged when it is on the disk and queued: whatever ends the node then, the film is annotated
    and sent when it runs again. SIGTERM and Ctrl-C end it in good order.
    """
    destinations = tuple(map(parse_destination, send_to or ()))
    options = NodeOptions(
        listen=ScpSettings(
            aet=aet,
            port=port,
            host=host,
            allowed_aets=tuple(allow_aet or ()),
            allowed_hosts=tuple(allow_host or ()),
            tls=_tls(tls_cert, tls_key, tls_ca),
            largest_object=int(max_object * _MEGABYTE),
            max_associations=max_associations,
            max_pdu=max_pdu,
            network_timeout_s=timeout,
        ),
        data=data or default_data_folder(),
        annotate=AnnotateOptions(
            model=model, method=method, engine=engine, outputs=parse_outputs(write), workers=workers or 0
        ),
        send_to=destinations,
        security=_security(aet, send_to or (), send_tls_ca, send_tls_cert, send_tls_key),
        store=store,
        quiet_s=quiet,
        keep_days=keep_days or None,
        quota=None if quota is None else int(quota * _GIGABYTE),
        sending=RetryPolicy(attempts=attempts, first=retry_wait),
        peers=_peers(peer or ()),
        health_port=health_port,
        retry_dead=retry_dead,
    )
    run(options)


def run(options: NodeOptions) -> None:
    """Runs a node until SIGTERM (exit code 0) or Ctrl-C (130).

    Raises:
        MedcamError: See `medcam.server.node.run_node`.
        typer.Exit: After Ctrl-C.
    """
    from medcam.server.logs import log_as_json_lines
    from medcam.server.node import run_node

    log_as_json_lines()
    with stop_signals() as (stop, heard):
        run_node(options, stop, _announce)
    if signal.SIGINT in heard:
        tell("interrupted. What was acknowledged is kept: start the node again to go on.")
        raise typer.Exit(ExitCode.INTERRUPTED)


def _announce(doors: Doors) -> None:
    say(f"Listening: {doors.aet}@{doors.host}:{doors.port}   (Ctrl-C ends it)")
    if doors.health is not None:
        say(f"Health and metrics: http://127.0.0.1:{doors.health}/health and /metrics")
    say(RESEARCH_USE)


def _tls(certificate: Path | None, key: Path | None, ca: Path | None) -> ssl.SSLContext | None:
    if certificate is None and key is None and ca is None:
        return None
    if certificate is None or key is None:
        raise UsageError(
            "TLS needs a certificate and its private key",
            code="bad-certificate",
            next_step="Give both --tls-cert and --tls-key.",
        )
    return server_tls(certificate, key, ca)


def _security(
    aet: str, send_to: Sequence[str], ca: Path | None, certificate: Path | None, key: Path | None
) -> Security:
    headers = headers_from_environment() if any(map(is_web, send_to)) else {}
    security = Security(calling_aet=aet, ca=ca, certificate=certificate, key=key, headers=headers)
    if security.tls:
        security.ssl_context()  # tells now what is wrong with the files, instead of at the first result
    return security


def _peers(texts: Sequence[str]) -> dict[str, DimseDestination]:
    peers = {}
    for text in texts:
        peer = parse_destination(text)
        if not isinstance(peer, DimseDestination):
            raise UsageError(
                "--peer takes application entities", code="bad-destination", next_step="Write AET@HOST:PORT."
            )
        peers[peer.ae_title] = peer
    return peers
