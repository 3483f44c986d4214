"""Objects to one destination, each until it is accepted and then never again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from medcam.dicom.network.deliver import check_destination, deliver
from medcam.dicom.network.delivery import Delivery, DeliveryOutcome
from medcam.dicom.network.destination import Destination
from medcam.dicom.network.security import Security
from medcam.service.output_errors import writing
from medcam.service.sending.record import RECORD_NAME, Attempt, DeliveryRecord

ALREADY_THERE = "accepted by an earlier run"


class Outbox:
    """Sends files below a folder and keeps a record of it there. For one thread at a time.

    An attempt is recorded after the destination has answered: a process that is killed in between sends the object once
    more, with the same UID and the same bytes, which makes no duplicate.

    Args:
        folder: Where the record `deliveries.jsonl` is kept; what is sent lies below it.
        destination: Where to.
        security: How it is called.

    Raises:
        UsageError: Certificates or headers cannot be used; see `medcam.dicom.network.deliver`.
        OutputError: The record cannot be read.
    """

    def __init__(self, folder: Path, destination: Destination, security: Security) -> None:
        check_destination(destination, security)
        self._folder, self._destination, self._security = folder, destination, security
        with writing():
            self._record = DeliveryRecord(folder / RECORD_NAME)

    def send(self, files: Sequence[Path]) -> list[Delivery]:
        """Makes one attempt at each file that the destination has not accepted yet.

        Args:
            files: Below the outbox's folder.

        Returns:
            What became of each, in order; accepted, too, is what was accepted earlier.

        Raises:
            OutputError: The record cannot be written.
        """
        digests = {path: _digest(path) for path in files}
        name = str(self._destination)
        new = [path for path, digest in digests.items() if not self._record.has_accepted(name, digest)]
        made = {item.path: item for item in deliver(self._destination, new, self._security)} if new else {}
        with writing():
            self._record.write([self._attempt(item, digests[item.path]) for item in made.values()])
        return [
            made.get(path) or Delivery(path, "", "", DeliveryOutcome.ACCEPTED, detail=ALREADY_THERE) for path in files
        ]

    def _attempt(self, item: Delivery, digest: str) -> Attempt:
        return Attempt(
            time=datetime.now(UTC).isoformat(timespec="seconds"),
            destination=str(self._destination),
            file=item.path.relative_to(self._folder).as_posix(),
            sha256=digest,
            outcome=str(item.outcome),
            code=item.code,
            detail=item.detail,
        )


def _digest(path: Path) -> str:
    """SHA-256 of a file; "" where it cannot be read, which sending it will tell."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
