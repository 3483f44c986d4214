"""`medcam annotate --ray`: the options, and the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from medcam.cli.annotate_told import note
from medcam.cli.console import progress, stoppable
from medcam.core.errors import UsageError
from medcam.service.cluster.settings import RayOptions
from medcam.service.cluster.storage import is_object_url

if TYPE_CHECKING:
    from medcam.service.annotate.manifest import Manifest
    from medcam.service.annotate.options import AnnotateOptions

RayOption = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="ADDRESS",
        help="Run on a Ray cluster: local (of this machine alone), auto (the one it belongs to) or HOST:PORT.",
        show_default="no cluster",
    ),
]
GpusOption = Annotated[
    float, typer.Option(metavar="N", min=0, help="With --ray: GPUs of each process, or a share of one such as 0.25.")
]
ActorsOption = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="With --ray: most processes.", show_default="as many as there is room for"),
]


def cluster_of(ray: str | None, gpus: float, actors: int | None, places: Sequence[str]) -> RayOptions | None:
    """The cluster that a call names; None for none.

    Args:
        ray: Its address.
        gpus: GPUs of each process.
        actors: Most processes.
        places: Sources and output.

    Raises:
        UsageError: Something goes with a cluster alone (code `needs-ray`).
    """
    if ray is not None:
        return RayOptions(ray, gpus, actors)
    if gpus or actors or any(map(is_object_url, places)):
        raise UsageError(
            "object storage, --gpus and --actors are for a Ray cluster alone, which this machine may be",
            code="needs-ray",
            next_step="Add --ray local.",
        )
    return None


def run_on_ray(sources: Sequence[str], out: str, options: AnnotateOptions, cluster: RayOptions) -> Manifest:
    """Annotates on a cluster with progress on standard error.

    Raises:
        MedcamError: See `medcam.service.cluster.run.annotate_on_ray`.
        typer.Exit: Ctrl-C or SIGTERM stopped the run.
    """
    with stoppable("What was finished is kept: give the same command again to go on."), progress("annotate") as step:
        from medcam.service.cluster.run import annotate_on_ray

        return annotate_on_ray(
            sources, out, options, cluster, lambda now: step(now.done, now.total, note(now.counts.quarantined))
        )
