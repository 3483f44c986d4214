"""What all processes of a run agree on: one of them loads the models, and all others do what that one found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import cast

from medcam.core.card import ModelCard
from medcam.core.errors import MedcamError
from medcam.core.explanation import Engine
from medcam.core.protocols import Classifier
from medcam.models.registry import load_model
from medcam.service.annotate.instance_output import Request
from medcam.service.annotate.options import AnnotateOptions
from medcam.service.annotate.run import engine_of, request_of
from medcam.service.annotate.several import findings_for_each
from medcam.service.annotate.several_index import folder_names
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

    def classifier(self, options: AnnotateOptions) -> Classifier:
        """The model on the engine that was agreed on.

        Args:
            options: Of the run.

        Raises:
            ClusterError: This machine has another model, another medcam, or cannot run that engine (code
                `machines-differ`).
        """
        engine = f"{self.engine.name}:{self.engine.precision}"
        classifier = load_model(self.model, engine, threads=options.workers)
        mine = request_of(classifier, replace(options, findings=self.findings))
        if mine != self.request:
            raise ClusterError(
                f"machines of the cluster differ in {_difference(mine, self.request)}",
                code="machines-differ",
                next_step="Install the same medcam and the same model everywhere, and name an engine that all machines "
                "have, such as --engine openvino:fp32.",
            )
        return classifier


def agree(models: Sequence[str], options: AnnotateOptions) -> tuple[Asked, ...]:
    """Loads the models on some machine of the cluster.

    Args:
        models: Their names or folders, one or several; that of the options is not looked at.
        options: Of the run.

    Raises:
        UsageError: See `request_of`; of several models also as `annotate_with`.
        ModelError: A model cannot be loaded.
    """
    classifiers = [load_model(model, options.engine, threads=options.workers) for model in models]
    cards = [classifier.card for classifier in classifiers]
    several = len(cards) > 1
    folders = folder_names(cards) if several else ("",)
    findings = findings_for_each(options.findings, cards) if several else [options.findings]
    return tuple(
        Asked(model, folder, known, request_of(one, replace(options, findings=known)), *engine_of(one), one.card)
        for model, folder, known, one in zip(models, folders, findings, classifiers, strict=True)
    )


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
    try:
        return agree(models, options)
    except MedcamError as error:
        return error


def _difference(mine: Request, agreed_on: Request) -> str:
    names = [name for name in Request.__slots__ if getattr(mine, name) != getattr(agreed_on, name)]
    return ", ".join(names)
