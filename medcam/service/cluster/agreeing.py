"""What all processes of a run agree on: one of them loads the models, and all others do what that one found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from medcam.core.protocols import Classifier
from medcam.models.registry import load_model
from medcam.service.annotate.instance_output import Request
from medcam.service.annotate.options import AnnotateOptions
from medcam.service.annotate.run import engine_of, request_of
from medcam.service.annotate.several import findings_for_each
from medcam.service.annotate.several_index import folder_names
from medcam.service.cluster.asked import Asked
from medcam.service.cluster.settings import ClusterError


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


def agreed_classifier(asked: Asked, options: AnnotateOptions) -> Classifier:
    """The model on the engine that was agreed on.

    Args:
        asked: What was agreed on.
        options: Of the run.

    Raises:
        ClusterError: This machine has another model, another medcam, or cannot run that engine (code
            `machines-differ`).
    """
    engine = f"{asked.engine.name}:{asked.engine.precision}"
    classifier = load_model(asked.model, engine, threads=options.workers)
    mine = request_of(classifier, replace(options, findings=asked.findings))
    if mine != asked.request:
        raise ClusterError(
            f"machines of the cluster differ in {_difference(mine, asked.request)}",
            code="machines-differ",
            next_step="Install the same medcam and the same model everywhere, and name an engine that all machines "
            "have, such as --engine openvino:fp32.",
        )
    return classifier


def _difference(mine: Request, agreed_on: Request) -> str:
    names = [name for name in Request.__slots__ if getattr(mine, name) != getattr(agreed_on, name)]
    return ", ".join(names)
