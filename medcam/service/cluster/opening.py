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
from medcam.service.annotate.instance_output import InstanceFolder
from medcam.service.annotate.outcomes import Annotated, Outcome, refused
from medcam.service.cluster.asked import Asked
from medcam.service.cluster.blocks import Numbered
from medcam.service.cluster.found import Found
from medcam.service.cluster.outputs import checked_outputs
from medcam.service.cluster.rows import found_record, input_of, outcome_record
from medcam.service.cluster.shared_store import SharedStore, keepers
from medcam.service.cluster.web_input import WebAccess, WebFetcher
from medcam.service.output_errors import OutputError
from medcam.service.studies.keep import Keeper
from medcam.store import StoreError


@dataclass(frozen=True, slots=True)
class Opening:
    """Makes the work of such a process.

    Args:
        out: The output: absolute path or URL.
        asked: What is asked of each model.
        resume: Whether finished films are kept.
        store: Where films are kept for readers too; None for nowhere.
        web: How images of DICOMweb services are fetched; None where no input is one.
    """

    out: str
    asked: tuple[Asked, ...]
    resume: bool
    store: SharedStore | None = None
    web: WebAccess | None = None

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
        self._web = WebFetcher(settings.web)
        self._web.check()
        with ExitStack() as until_exit:
            self._outputs = checked_outputs(settings.out, [one.folder for one in settings.asked], until_exit)
            keeping = keepers(settings.store, [one.card for one in settings.asked])
            self._keepers: list[Keeper | None] = until_exit.enter_context(keeping)
            self._readers = until_exit.enter_context(ReaderPool(1))
            self._until_exit = until_exit.pop_all()

    def __call__(self, records: Sequence[Numbered]) -> Iterator[Numbered]:
        """Opens each file of a block."""
        for index, record in records:
            found = self._opened(input_of(record, self._web))
            yield index, found_record(found) if isinstance(found, Found) else outcome_record(found)

    def close(self) -> None:
        """Ends the process that reads."""
        self._until_exit.close()

    def _opened(self, file: Input) -> Found | Outcome:
        try:
            context = self._readers.open(file.read(), file.name)
            finished = dict(self._finished(file, context.identity, context.sha256))
            return Found(file, context.identity, context.sha256, finished)
        except (OutputError, StoreError):
            raise
        except Exception as error:  # noqa: BLE001 - one broken film never stops the rest
            return refused(file.source, error)

    def _finished(self, file: Input, identity: Identity, sha256: str) -> Iterator[tuple[int, Annotated]]:
        """What each model had finished. Without --resume it is forgotten."""
        for place, asked in enumerate(self._settings.asked):
            output, request = self._outputs[place], asked.request.digest(sha256)
            receipt = output.finished(identity, request)
            if receipt is None:
                continue
            if not self._settings.resume:
                # From here on complete results are this run's own: whoever takes up the work of a lost process keeps
                # them.
                output.forget(identity)
                continue
            keeper = self._keepers[place]
            if keeper is None or keeper.holds(identity, sha256, request):
                folder = InstanceFolder(Path(tempfile.gettempdir()), identity)
                yield place, Annotated(file.source, folder.name, receipt.flagged, reused=True)
