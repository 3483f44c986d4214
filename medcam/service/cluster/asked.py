"""What is asked of each model of a run: the driver has one process of the cluster find it out, and tells all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import cast

from medcam.core.card import ModelCard
from medcam.core.errors import MedcamError
from medcam.core.explanation import Engine
from medcam.service.annotate.instance_output import Request
from medcam.service.annotate.options import AnnotateOptions
from medcam.service.cluster.settings import ClusterError, RayOptions

PATIENCE_S = 600.0
"""For a first process to begin: a cluster that grows has to start a machine for it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of one model.

    Args:
        model: Its name, or its folder on every machine.
        folder: Of its results in the output; empty where it is the only model.
        findings: Of its findings, those that are drawn.
        request: What is asked of every film, model and engine among it.
        engine: What computes the maps.
        notes: Which other engines were tried, and why they were not used.
        card: The model's card.
    """

    model: str
    folder: str
    findings: tuple[str, ...]
    request: Request
    engine: Engine
    notes: tuple[str, ...]
    card: ModelCard = field(repr=False)


def agreed(
    ray: ModuleType, models: Sequence[str], options: AnnotateOptions, ray_options: RayOptions
) -> tuple[Asked, ...]:
    """What one process of the cluster finds in models and engines; raises what `agree` raises there.

    Raises:
        ClusterError: There is no room for one process (code `no-room`).
    """
    task = ray.remote(num_cpus=options.workers, num_gpus=ray_options.gpus or None, max_retries=3)(_agree)
    begun = task.remote(tuple(models), options)
    ready, _ = ray.wait([begun], timeout=PATIENCE_S)
    if not ready:
        raise ClusterError(
            f"no machine has room for a process of {options.workers} cores and {ray_options.gpus:g} GPUs",
            code="no-room",
            next_step="Ask for fewer --workers or --gpus, or start larger machines.",
        )
    answer = ray.get(begun)
    if isinstance(answer, MedcamError):
        raise answer
    return cast("tuple[Asked, ...]", answer)


def _agree(models: Sequence[str], options: AnnotateOptions) -> tuple[Asked, ...] | MedcamError:
    """Errors are given back, not raised: Ray would wrap them."""
    from medcam.service.cluster.agreeing import agree  # networks: not for the driver

    try:
        return agree(models, options)
    except MedcamError as error:
        return error
