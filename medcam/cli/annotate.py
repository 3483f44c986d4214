"""`medcam annotate`: the main job."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medcam.cli.annotate_ray import ActorsOption, GpusOption, RayOption, cluster_of, run_on_ray
from medcam.cli.annotate_several import annotate_several
from medcam.cli.annotate_told import exit_code, note, summarise
from medcam.cli.console import command_line, progress, say, stoppable
from medcam.cli.model_options import EngineOption, MethodOption
from medcam.cli.network import CALLING_AET, CallingAet, SendTo, TlsCa, TlsCert, TlsKey, destination, security
from medcam.dicom.network.destination import is_web
from medcam.service.annotate.options import AnnotateOptions, parse_outputs
from medcam.service.cluster.settings import WORKERS

if TYPE_CHECKING:
    from medcam.service.annotate.manifest import Manifest

_BY_DEFAULT = AnnotateOptions()
_TO_KEEP = "json,png"
_TO_SEND = "json,png,sc,seg,sr"


def annotate(
    source: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE",
            help="DICOM files, folders, ZIP and tar archives, DICOMDIRs; anything else in them is skipped. "
            "Or a search: dicomweb://HOST[:PORT]/PATH[/studies/UID][?StudyDate=...&Modality=...]; "
            "dicomwebs://... for HTTPS. With --ray also object storage: s3://BUCKET/PREFIX.",
        ),
    ],
    out: Annotated[
        str, typer.Option(metavar="DIR", help="Where results go; made if absent. With --ray also s3://BUCKET/PREFIX.")
    ],
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A name of `medcam models list`, or a model's folder. May be repeated: every file is read once, and "
            "what each model says of it goes to DIR/<model>.",
            show_default=_BY_DEFAULT.model,
        ),
    ] = None,
    finding: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Draw this finding; may be repeated. Without it: the findings that are present; where none is, or "
            "where the answer is withheld, the one that is highest against its threshold.",
        ),
    ] = None,
    method: MethodOption = None,
    write: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help="What to write, separated by commas: json, png (overlays) and DICOM objects: sc (Secondary Capture), "
            "seg (regions and maps), sr (structured report), ko (key objects), gsps (boxes). json always is: it marks "
            "a film as finished.",
            show_default="json,png; with --send-to json,png,sc,seg,sr",
        ),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(
            metavar="STORE",
            help="Keep films and explanations for readers too: a folder, sqlite:///PATH or postgresql+psycopg://... "
            "`medcam review --store STORE` shows them.",
        ),
    ] = None,
    send_to: SendTo = None,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    calling_aet: CallingAet = CALLING_AET,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Threads that read, prepare and write; with --ray those of each process, and its cores.",
            show_default="cores; with --ray 2",
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume/--no-resume", help="Keep films that an earlier run finished with the same model and options."
        ),
    ] = True,
    allow_out_of_distribution: Annotated[
        bool,
        typer.Option(
            "--allow-out-of-distribution",
            help="Call findings present or absent on films unlike the training films too, in spite of the warning.",
        ),
    ] = False,
    capture_side: Annotated[
        int,
        typer.Option(metavar="PX", min=512, max=4096, help="Most pixels along the longer side of a Secondary Capture."),
    ] = _BY_DEFAULT.capture_side,
    engine: EngineOption = _BY_DEFAULT.engine,
    ray: RayOption = None,
    gpus: GpusOption = 0.0,
    actors: ActorsOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print the manifest as JSON on standard output.")] = False,
) -> None:
    """Find what is on chest radiographs, and where, and write it beside them. Research use. Not a medical device.

    Ends with 0 when all is done (skipped and flagged films included), 1 when some files were quarantined or some
    objects not delivered, 2 when the call is wrong, 3 when nothing could be done. A run that was stopped goes on when
    the same command is given again.
    """
    models = model or [_BY_DEFAULT.model]
    options = AnnotateOptions(
        model=models[0],
        findings=tuple(finding or ()),
        outputs=parse_outputs(write or (_TO_SEND if send_to else _TO_KEEP)),
        workers=workers or (WORKERS if ray else 0),
        resume=resume,
        allow_out_of_distribution=allow_out_of_distribution,
        capture_side=capture_side,
        store=store,
        method=method,
        engine=engine,
        send_to=destination(send_to),
        security=security(calling_aet, tls_ca, tls_cert, tls_key, web=any(map(is_web, [*source, send_to or ""]))),
    )
    cluster = cluster_of(ray, gpus, actors, (*source, out))
    if len(models) > 1:
        code = annotate_several(models, source, out, options, cluster, json=json)
    else:
        manifest = run_on_ray(source, out, options, cluster) if cluster else run_annotate(source, Path(out), options)
        code = exit_code(manifest)
        typer.echo(manifest.to_json(), nl=False) if json else summarise(manifest, out)
    if store is not None and not json:
        say(f"Look at them: {command_line('medcam', 'review', '--store', store)}")
    raise typer.Exit(code)


def run_annotate(sources: Sequence[Path | str], out: Path, options: AnnotateOptions) -> Manifest:
    """Annotates with progress on standard error.

    Raises:
        MedcamError: See `medcam.service.annotate.run.annotate`.
        typer.Exit: Ctrl-C or SIGTERM stopped the run.
    """
    with stoppable("What was finished is kept: give the same command again to go on."), progress("annotate") as step:
        from medcam.service.annotate.run import annotate as run

        return run(sources, out, options, lambda now: step(now.done, now.total, note(now.counts.quarantined)))
