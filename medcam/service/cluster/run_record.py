"""What the driver writes of a run: lists of refused inputs as it goes, and manifests at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from medcam.service.annotate.deliveries import deliveries
from medcam.service.annotate.inputs import Input
from medcam.service.annotate.manifest import MANIFEST_NAME, Manifest, write_manifest
from medcam.service.annotate.options import AnnotateOptions
from medcam.service.annotate.outcomes import Outcome
from medcam.service.annotate.quarantine import QuarantineLog
from medcam.service.annotate.run_output import manifest_of
from medcam.service.annotate.several_index import INDEX_NAME, write_index
from medcam.service.annotate.several_settling import ModelRun, Settling
from medcam.service.annotate.tally import Progress, Tally
from medcam.service.cluster.asked import Asked
from medcam.service.cluster.driver import Sink
from medcam.service.cluster.outputs import ClusterOutput, below, cluster_output
from medcam.service.output_errors import writing


@dataclass(frozen=True, eq=False)
class RunRecord:
    """The record of a run by one model or by several, on this machine until it is finished.

    Args:
        asked: What is asked of each model.
        outputs: Where the results of each go.
        whole: Where the record of a run of several models goes; None where there is one model.
    """

    asked: Sequence[Asked]
    outputs: Sequence[ClusterOutput]
    whole: ClusterOutput | None = None
    _runs: list[ModelRun] = field(default_factory=list)

    @contextmanager
    def settling(
        self, files: Sequence[Input], options: AnnotateOptions, progress: Callable[[Progress], None]
    ) -> Iterator[Sink]:
        """What is told of each input; the lists are written, and all that is to be sent has been tried, at the end.

        Args:
            files: All inputs.
            options: Of the run.
            progress: Called after each input.

        Raises:
            OutputError: A list cannot be written.
        """
        with ExitStack() as held:
            common = None if self.whole is None else held.enter_context(QuarantineLog(self.whole.folder))
            for one, output in zip(self.asked, self.outputs, strict=True):
                log = held.enter_context(QuarantineLog(output.folder))
                tally = Tally(len(files), log, progress if common is None else lambda _: None)
                self._runs.append(ModelRun(one.folder, tally, held.enter_context(deliveries(output.folder, options))))
            yield self._alone if common is None else Settling(self._runs, common, progress, len(files))
        numbers = {file.source: number for number, file in enumerate(files)}
        for run in self._runs:
            # The lists of the manifest are in the inputs' order, whoever was ready first.
            for outcomes in (run.tally.annotated, run.tally.skipped, run.tally.duplicates):
                outcomes.sort(key=lambda outcome: numbers[outcome.source])

    def finish(self, started: datetime) -> dict[str, Manifest]:
        """Writes the manifests, and then the list of models where there are several.

        Returns:
            The manifest of each model, by its folder.
        """
        manifests: dict[str, Manifest] = {}
        for one, run in zip(self.asked, self._runs, strict=True):
            engine = (one.engine, one.notes)
            manifests[one.folder] = manifest_of(run.tally, one.request, engine, started, run.sending.counts)
        for output, manifest in zip(self.outputs, manifests.values(), strict=True):
            with writing():
                write_manifest(output.folder, manifest)
            output.finish()
        if self.whole is not None:
            with writing():
                write_index(self.whole.folder, manifests)
            self.whole.finish()
        return manifests

    def _alone(self, outcome: Outcome, ends: Mapping[int, Outcome]) -> None:
        self._runs[0].settle(ends.get(0, outcome))


@contextmanager
def run_record(place: str, asked: Sequence[Asked]) -> Iterator[RunRecord]:
    """The record of a run, at an output that is made ready; what it needs on this machine is gone at the end.

    Args:
        place: The output of the run: absolute path or URL.
        asked: What is asked of each model.

    Raises:
        UsageError: The output is a file, or its kind of storage is not known.
        OutputError: It cannot be written.
    """
    with ExitStack() as held:
        whole = held.enter_context(cluster_output(place)) if len(asked) > 1 else None
        if whole is not None:
            whole.begin(INDEX_NAME)
        outputs = [held.enter_context(cluster_output(below(place, one.folder))) for one in asked]
        for output in outputs:
            output.begin(MANIFEST_NAME)
        yield RunRecord(asked, outputs, whole)
