"""What a process of the second job does: the chain of `medcam annotate`, whole, with the models loaded once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from medcam.anatomy import shipped_atlas
from medcam.dicom.sandbox.pool import ReaderPool
from medcam.service.annotate.chain import ChainThreads, chain_threads, run_chain
from medcam.service.annotate.instance_output import InstanceFolder
from medcam.service.annotate.outcomes import Annotated, Outcome, overall
from medcam.service.annotate.run import BATCH
from medcam.service.annotate.several_stages import Ends, SeveralStages
from medcam.service.annotate.stages import Answered, Opened, Stages
from medcam.service.cluster.agreeing import agreed_classifier
from medcam.service.cluster.blocks import Numbered
from medcam.service.cluster.explaining import Explaining
from medcam.service.cluster.outputs import ClusterOutput, checked_outputs
from medcam.service.cluster.rows import ended_record, input_of
from medcam.service.cluster.shared_store import keepers
from medcam.service.cluster.web_input import WebFetcher


class ExplainingWork:
    """Explains films, block by block; all that it makes ends with its process.

    Args:
        settings: Of the run.
    """

    def __init__(self, settings: Explaining) -> None:
        options, asked = settings.options, settings.asked
        self._web = WebFetcher(settings.web)
        self._web.check()
        with ExitStack() as until_exit:
            outputs = checked_outputs(settings.out, [one.folder for one in asked], until_exit)
            shipped_atlas()  # a damaged installation stops the run here instead of quarantining every film
            keeping = until_exit.enter_context(keepers(settings.store, [one.card for one in asked]))
            classifiers = [agreed_classifier(one, options) for one in asked]
            readers = until_exit.enter_context(ReaderPool(options.workers))
            self._threads: ChainThreads = until_exit.enter_context(chain_threads(options.workers, BATCH))
            self._stages = [
                ClusterStages(output.folder, classifier, one.request, readers, keeper, output=output)
                for one, classifier, keeper, output in zip(asked, classifiers, keeping, outputs, strict=True)
            ]
            self._until_exit = until_exit.pop_all()

    def __call__(self, records: Sequence[Numbered]) -> Iterator[Numbered]:
        """Explains the films of a block."""
        files = [input_of(record, self._web) for _, record in records]
        numbers = {file.source: index for file, (index, _) in zip(files, records, strict=True)}
        rivals = {file.source: record.get("rival") for file, (_, record) in zip(files, records, strict=True)}
        ends = Ends()
        answers: list[Numbered] = []

        def settle(outcome: Outcome) -> None:
            answers.append((numbers[outcome.source], ended_record(outcome, ends.take(outcome.source))))

        admitted = _Admitted(self._stages, rivals, ends)
        run_chain(files, SeveralStages(self._stages, ends), admitted, settle, self._threads)
        return iter(answers)

    def close(self) -> None:
        """Ends threads and processes that read."""
        self._until_exit.close()


@dataclass(frozen=True, eq=False)
class ClusterStages(Stages):
    """The stages of a run by one model, with results that may have to be handed over.

    Args:
        output: Where its results go.
    """

    output: ClusterOutput = None  # type: ignore[assignment]  # always given; what Stages has before it has defaults

    def write(self, answered: Answered) -> Outcome:
        """As `Stages.write`, and then hands the results over."""
        identity = answered.film.context.identity
        self.output.fetch(identity)
        outcome = super().write(answered)
        self.output.hand_over(identity)
        return outcome

    def finished(self, opened: Opened) -> Annotated | None:
        """What was finished of a film, in the store too; None where something is left to do."""
        request = self.request.digest(opened.sha256)
        receipt = self.output.finished(opened.identity, request)
        if receipt is None or (self.keeper and not self.keeper.holds(opened.identity, opened.sha256, request)):
            return None
        return Annotated(opened.file.source, InstanceFolder(self.out, opened.identity).name, receipt.flagged)


@dataclass(frozen=True, eq=False)
class _Admitted:
    """The driver has admitted all of them; what a lost process of this run, or an earlier run, has finished is done.

    Args:
        each: The stages of each model.
        rivals: By source: the annotated input with the same UID and other content.
        ends: Where it is written which models need not be asked.
    """

    each: Sequence[ClusterStages]
    rivals: Mapping[str, Any]
    ends: Ends

    def admit(self, files: Iterable[Opened]) -> Iterator[Opened | Outcome]:
        """Yields what is left to do, and outcomes of what is done."""
        for opened in files:
            rival = self.rivals[opened.file.source]
            if rival is not None:
                yield replace(opened, rival=rival)
                continue
            ends = self.ends.of(opened.file.source)
            done = {place: stages.finished(opened) for place, stages in enumerate(self.each)}
            ends.update({place: one for place, one in done.items() if one is not None})
            yield overall(ends) if len(ends) == len(self.each) else opened
