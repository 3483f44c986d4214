"""What a process of the first job does: opens files, and says whether their results stand already."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from medcam.core.radiograph import Identity
from medcam.dicom.sandbox.pool import ReaderPool
from medcam.service.annotate.inputs import Input
from medcam.service.annotate.instance_output import InstanceFolder, Request
from medcam.service.annotate.outcomes import Annotated, Outcome
from medcam.service.annotate.stages import refused
from medcam.service.cluster.blocks import Numbered
from medcam.service.cluster.found import Found
from medcam.service.cluster.outputs import ClusterOutput, cluster_output
from medcam.service.cluster.rows import found_record, input_of, outcome_record
from medcam.service.output_errors import OutputError


@dataclass(frozen=True, slots=True)
class Opening:
    """Makes the work of such a process.

    Args:
        out: The output: absolute path or URL.
        request: What the run asks of every film.
        resume: Whether finished films are kept.
    """

    out: str
    request: Request
    resume: bool

    def __call__(self) -> OpeningWork:
        """The work, with a process that reads files."""
        return OpeningWork(self)


class OpeningWork:
    """Opens files one by one; all that it makes ends with its process.

    Args:
        settings: Of the run.
    """

    def __init__(self, settings: Opening) -> None:
        self._settings = settings
        with ExitStack() as until_exit:
            self._output: ClusterOutput = until_exit.enter_context(cluster_output(settings.out))
            self._output.check()
            self._readers = until_exit.enter_context(ReaderPool(1))
            self._until_exit = until_exit.pop_all()

    def __call__(self, records: Sequence[Numbered]) -> Iterator[Numbered]:
        """Opens each file of a block."""
        for index, record in records:
            found = self._opened(input_of(record))
            yield index, found_record(found) if isinstance(found, Found) else outcome_record(found)

    def close(self) -> None:
        """Ends the process that reads."""
        self._until_exit.close()

    def _opened(self, file: Input) -> Found | Outcome:
        try:
            context = self._readers.open(file.read(), file.name)
            finished = self._finished(file, context.identity, context.sha256)
            return Found(file, context.identity, context.sha256, finished)
        except OutputError:
            raise
        except Exception as error:  # noqa: BLE001 - one broken film never stops the rest
            return refused(file, error)

    def _finished(self, file: Input, identity: Identity, sha256: str) -> Annotated | None:
        receipt = self._output.finished(identity, self._settings.request.digest(sha256))
        if receipt is None:
            return None
        if not self._settings.resume:
            # From here on complete results are this run's own: whoever takes up the work of a lost process keeps them.
            self._output.forget(identity)
            return None
        folder = InstanceFolder(Path(tempfile.gettempdir()), identity)
        return Annotated(file.source, folder.name, receipt.flagged, reused=True)
