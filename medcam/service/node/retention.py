"""Lets go of studies that are old, or in the way, and finished: never of what is yet to be annotated or sent."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from medcam.service.annotate.manifest import MANIFEST_NAME
from medcam.service.node.annotating import ANNOTATE, annotate_key
from medcam.service.node.committing import COMMIT
from medcam.service.node.data_folder import DataFolder
from medcam.service.node.inbox import Inbox
from medcam.service.node.metrics import NodeMetrics
from medcam.service.node.room import Room
from medcam.service.node.sending import send_prefix
from medcam.store import JobQueue

CROWDED = 0.9
"""Share of the quota above which finished studies go, oldest first, whatever their age."""
_DAY = 86400.0
_LOG = logging.getLogger("medcam.node")


@dataclass(frozen=True, eq=False)
class Retention:
    """Lets go of studies.

    Args:
        folder: The node's data.
        inbox: What was received.
        room: Its bytes.
        queue: Its jobs.
        keep_days: Age at which a finished study goes; None for never.
        metrics: What is counted.
        clock: Seconds since 1970 UTC.
    """

    folder: DataFolder
    inbox: Inbox
    room: Room = field(repr=False)
    queue: JobQueue = field(repr=False)
    keep_days: float | None
    metrics: NodeMetrics = field(repr=False)
    clock: Callable[[], float] = time.time

    def __call__(self) -> int:
        """Lets go of what may go; how many studies.

        Raises:
            OSError: A file cannot be removed.
            StoreError: The database cannot be used.
        """
        self.room.measure()
        gone = 0
        for age, study in sorted(self._ages(), reverse=True):
            old = self.keep_days is not None and age >= self.keep_days * _DAY
            if (old or self._crowded) and self._let_go(study):
                gone += 1
                self.room.measure()
        if self.keep_days is not None:
            # Jobs of kind "send" stay: they are how it is known that a film that comes again was sent already.
            for kind in (ANNOTATE, COMMIT):
                self.queue.purge(kind, self.clock() - self.keep_days * _DAY)
        if gone:
            self.metrics.purged.inc(gone)
            _LOG.info("studies let go of", extra={"number": gone})
        return gone

    @property
    def _crowded(self) -> bool:
        return self.room.quota is not None and self.room.used > CROWDED * self.room.quota

    def _ages(self) -> list[tuple[float, str]]:
        """Seconds since the last object of each study came."""
        now = self.clock()
        ages = []
        for study in self.inbox.studies():
            times = [path.stat().st_mtime for path in self.inbox.study_folder(study).iterdir()]
            ages.append((now - max(times, default=0.0), study))
        return ages

    def _let_go(self, study: str) -> bool:
        """Removes a study's results and then its objects, so that a kill in between leaves it to be found again."""
        with self.inbox.nothing_arrives():
            folders = self._result_folders(study)
            if self.queue.open_keys(annotate_key(study)) or any(
                self.queue.open_keys(send_prefix(folder)) for folder in folders
            ):
                return False
            for folder in folders:
                shutil.rmtree(self.folder.results / folder, ignore_errors=True)
            shutil.rmtree(self.inbox.study_folder(study))
            return True

    def _result_folders(self, study: str) -> set[str]:
        """Folders of a study's results. They bear its own name, unless its objects did not say whose they are."""
        try:
            manifest = json.loads((self.folder.record(study) / MANIFEST_NAME).read_text(encoding="utf-8"))
            return {study, *(str(item["folder"]).partition("/")[0] for item in manifest["annotated"])}
        except (OSError, ValueError, KeyError, TypeError):
            return {study}
