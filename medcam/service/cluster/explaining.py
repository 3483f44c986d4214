"""What a process of the second job does: the chain of `medcam annotate`, whole, with the model loaded once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from medcam.anatomy import shipped_atlas
from medcam.core.explanation import Engine
from medcam.core.protocols import Classifier
from medcam.dicom.sandbox.pool import ReaderPool
from medcam.models.registry import load_model
from medcam.service.annotate.chain import ChainThreads, chain_threads, run_chain
from medcam.service.annotate.instance_output import InstanceFolder, Request
from medcam.service.annotate.options import AnnotateOptions
from medcam.service.annotate.outcomes import Annotated, Outcome
from medcam.service.annotate.run import BATCH, engine_of, request_of
from medcam.service.annotate.stages import Answered, Opened, Stages
from medcam.service.cluster.blocks import Numbered
from medcam.service.cluster.outputs import ClusterOutput, cluster_output
from medcam.service.cluster.rows import input_of, outcome_record
from medcam.service.cluster.settings import ClusterError


@dataclass(frozen=True, slots=True)
class Asked:
    """What all processes of a run agree on.

    Args:
        request: What is asked of every film, model and engine among it.
        engine: What computes the maps.
        notes: Which other engines were tried, and why they were not used.
    """

    request: Request
    engine: Engine
    notes: tuple[str, ...]


def agree(options: AnnotateOptions) -> Asked:
    """Loads the model on some machine of the cluster, on which every other process then does what this one chose.

    Raises:
        UsageError: See `request_of`.
        ModelError: The model cannot be loaded.
    """
    classifier = load_model(options.model, options.engine, threads=options.workers)
    return Asked(request_of(classifier, options), *engine_of(classifier))


@dataclass(frozen=True, slots=True)
class Explaining:
    """Makes the work of such a process.

    Args:
        out: The output: absolute path or URL.
        options: How to annotate; `workers` threads and cores.
        asked: What was agreed on.
    """

    out: str
    options: AnnotateOptions
    asked: Asked

    def __call__(self) -> ExplainingWork:
        """The work, with model, atlas and processes that read files."""
        return ExplainingWork(self)

    def classifier(self) -> Classifier:
        """The model on the engine that was agreed on.

        Raises:
            ClusterError: This machine has another model, another medcam, or cannot run that engine (code
                `machines-differ`).
        """
        engine = self.asked.engine
        classifier = load_model(self.options.model, f"{engine.name}:{engine.precision}", threads=self.options.workers)
        mine = request_of(classifier, self.options)
        if mine != self.asked.request:
            raise ClusterError(
                f"machines of the cluster differ in {_difference(mine, self.asked.request)}",
                code="machines-differ",
                next_step="Install the same medcam and the same model everywhere, and name an engine that all machines "
                "have, such as --engine openvino:fp32.",
            )
        return classifier


def _difference(mine: Request, agreed: Request) -> str:
    names = [name for name in Request.__slots__ if getattr(mine, name) != getattr(agreed, name)]
    return ", ".join(names)


class ExplainingWork:
    """Explains films, block by block; all that it makes ends with its process.

    Args:
        settings: Of the run.
    """

    def __init__(self, settings: Explaining) -> None:
        workers = settings.options.workers
        with ExitStack() as until_exit:
            output: ClusterOutput = until_exit.enter_context(cluster_output(settings.out))
            output.check()
            shipped_atlas()  # a damaged installation stops the run here instead of quarantining every film
            classifier, request = settings.classifier(), settings.asked.request
            readers = until_exit.enter_context(ReaderPool(workers))
            self._threads: ChainThreads = until_exit.enter_context(chain_threads(workers, BATCH))
            self._stages = ClusterStages(output.folder, classifier, request, readers, output=output)
            self._until_exit = until_exit.pop_all()

    def __call__(self, records: Sequence[Numbered]) -> Iterator[Numbered]:
        """Explains the films of a block."""
        files = [input_of(record) for _, record in records]
        numbers = {file.source: index for file, (index, _) in zip(files, records, strict=True)}
        rivals = {file.source: record.get("rival") for file, (_, record) in zip(files, records, strict=True)}
        outcomes: list[Outcome] = []
        run_chain(files, self._stages, _Admitted(self._stages, rivals), outcomes.append, self._threads)
        return ((numbers[outcome.source], outcome_record(outcome)) for outcome in outcomes)

    def close(self) -> None:
        """Ends threads and processes that read."""
        self._until_exit.close()


@dataclass(frozen=True, eq=False)
class ClusterStages(Stages):
    """The stages of a run, with results that may have to be handed over.

    Args:
        output: The output of the run.
    """

    output: ClusterOutput = None  # type: ignore[assignment]  # always given; what Stages has before it has defaults

    def write(self, answered: Answered) -> Outcome:
        """As `Stages.write`, and then hands the results over."""
        identity = answered.film.context.identity
        self.output.fetch(identity)
        outcome = super().write(answered)
        self.output.hand_over(identity)
        return outcome


@dataclass(frozen=True, eq=False)
class _Admitted:
    """The driver has admitted all of them; those that a lost process of this run has finished are done.

    Args:
        stages: Of this process.
        rivals: By source: the annotated input with the same UID and other content.
    """

    stages: ClusterStages
    rivals: Mapping[str, Any]

    def admit(self, files: Iterable[Opened]) -> Iterator[Opened | Outcome]:
        """Yields what is left to do, and outcomes of what is done."""
        for opened in files:
            identity = opened.identity
            receipt = self.stages.output.finished(identity, self.stages.request.digest(opened.sha256))
            if receipt is None:
                yield replace(opened, rival=self.rivals[opened.file.source])
            else:
                folder = InstanceFolder(self.stages.out, identity)
                yield Annotated(opened.file.source, folder.name, receipt.flagged)
