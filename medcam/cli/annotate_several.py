"""`medcam annotate` with several models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from medcam.cli.annotate_told import exit_code, note, summarise
from medcam.cli.console import ExitCode, command_line, progress, say, stoppable
from medcam.service.cluster.storage import is_object_url

if TYPE_CHECKING:
    from medcam.service.annotate.options import AnnotateOptions
    from medcam.service.annotate.tally import Progress
    from medcam.service.cluster.settings import RayOptions


def annotate_several(
    models: Sequence[str],
    sources: Sequence[str],
    out: str,
    options: AnnotateOptions,
    cluster: RayOptions | None,
    *,
    json: bool,
) -> ExitCode:
    """Annotates with every model in one pass, with progress on standard error, and says what came of it.

    Args:
        models: Their names or folders.
        sources: What to annotate.
        out: Where results go.
        options: How.
        cluster: On which Ray cluster; None for this machine alone.
        json: Whether manifests are printed in place of a summary.

    Returns:
        How the run ended: done, where it is for every model; nothing done, where it is for none.

    Raises:
        MedcamError: See `medcam.service.annotate.several.annotate_with` and
            `medcam.service.cluster.run.annotate_with_on_ray`.
        typer.Exit: Ctrl-C or SIGTERM stopped the run.
    """
    with stoppable("What was finished is kept: give the same command again to go on."), progress("annotate") as step:

        def told(now: Progress) -> None:
            step(now.done, now.total, note(now.counts.quarantined))

        if cluster is None:
            from medcam.service.annotate.several import annotate_with

            manifests = annotate_with(models, sources, Path(out), options, told)
        else:
            from medcam.service.cluster.run import annotate_with_on_ray

            manifests = annotate_with_on_ray(models, sources, out, options, cluster, told)
    if json:
        from json import dumps

        content = [{"folder": folder, **manifest.to_dict()} for folder, manifest in manifests.items()]
        typer.echo(dumps(content, indent=1, ensure_ascii=False))
    else:
        for folder, manifest in manifests.items():
            summarise(manifest, f"{out.rstrip('/')}/{folder}")
        if not is_object_url(out):
            say(f"Compare them: {command_line('medcam', 'models', 'compare', out)}")
    codes = {exit_code(manifest) for manifest in manifests.values()}
    return codes.pop() if len(codes) == 1 else ExitCode.SOME_QUARANTINED
