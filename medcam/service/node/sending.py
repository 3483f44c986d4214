"""Jobs of kind "send": the objects of one film go to one destination, as they lie on the disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from medcam.core.errors import MedcamError
from medcam.dicom.network.deliver import deliver
from medcam.dicom.network.delivery import Delivery, DeliveryOutcome
from medcam.dicom.network.destination import Destination, parse_destination
from medcam.dicom.network.security import Security
from medcam.service.annotate.instance_output import RECEIPT_NAME, read_receipt
from medcam.service.jobs.retrying import PermanentError
from medcam.service.node.data_folder import DataFolder
from medcam.service.node.dead_letters import DeadLetters
from medcam.service.node.metrics import NodeMetrics
from medcam.store import Job, JobQueue

SEND = "send"
Deliver = Callable[[Destination, Sequence[Path], Security], list[Delivery]]


class SendError(MedcamError):
    """Objects were not taken. The code is that of the delivery."""

    default_code = "not-sent"
    default_next_step = "Check the destination; results are kept, and sent again by themselves or with --retry-dead."


def send_prefix(folder: str) -> str:
    """How the keys of all send jobs of a study's or a film's folder begin."""
    return f"{SEND}:{folder}"


def ask_to_send(queue: JobQueue, folder: DataFolder, film: str, destinations: Sequence[Destination]) -> None:
    """Asks for a film's objects to be sent, to each destination once.

    What was sent before is not sent again, even if film and results have been let go of and have come anew: the key
    stands for what decides the objects' UIDs, and two objects of one UID must not differ.

    Args:
        queue: The jobs.
        folder: The node's data.
        film: Folder of the film's results, such as "0123456789abcdef/fedcba9876543210".
        destinations: Where to.
    """
    receipt = read_receipt(folder.results / film / RECEIPT_NAME)
    names = sorted(name for name in receipt.files if name.endswith(".dcm")) if receipt else []
    if receipt is None or not names:
        return
    objects = {name: _digest(folder.results / film / name) for name in names}
    for destination in destinations:
        key = f"{send_prefix(film)}:{_short(str(destination))}:{_short(receipt.making + ' '.join(names))}"
        queue.enqueue(SEND, key, {"film": film, "destination": str(destination), "objects": objects}, once=True)


@dataclass(frozen=True, eq=False)
class FilmSender:
    """Does jobs of kind "send".

    Args:
        folder: The node's data.
        security: What is shown to destinations.
        metrics: What is counted.
        letters: For what is given up.
        deliver: Sends files.
    """

    folder: DataFolder
    security: Security = field(repr=False)
    metrics: NodeMetrics = field(repr=False)
    letters: DeadLetters = field(repr=False)
    deliver: Deliver = deliver

    def __call__(self, job: Job, leave: Callable[[], bool]) -> None:
        """Sends the objects of a job, all of them again where some were not taken: the bytes are the same.

        Raises:
            SendError: Some are worth another attempt.
            PermanentError: Some will never be taken, or are no longer what they were when the job was made.
        """
        paths = self._paths(job)
        for path, digest in zip(paths, job.payload["objects"].values(), strict=True):
            if not path.is_file() or _digest(path) != digest:
                raise PermanentError(
                    SendError(
                        "results have changed since they were to be sent",
                        code="results-changed",
                        next_step="Send the film to the node again.",
                    )
                )
        deliveries = self.deliver(parse_destination(job.payload["destination"]), paths, self.security)
        by_outcome = {outcome: [one for one in deliveries if one.outcome is outcome] for outcome in DeliveryOutcome}
        failed, refused = by_outcome[DeliveryOutcome.FAILED], by_outcome[DeliveryOutcome.REFUSED]
        if failed:
            raise _error(failed[0])
        self.metrics.sent.inc(len(by_outcome[DeliveryOutcome.ACCEPTED]))
        if refused:
            raise PermanentError(_error(refused[0]))

    def bury(self, job: Job, error: MedcamError) -> None:
        """Keeps the dead letter of a film, with its objects."""
        self.letters.keep(job, error, job.payload["film"], job.payload["destination"], self._paths(job))

    def _paths(self, job: Job) -> list[Path]:
        return [self.folder.results / job.payload["film"] / name for name in job.payload["objects"]]


def _error(delivery: Delivery) -> SendError:
    return SendError(delivery.detail or "an object was not taken", code=delivery.code or None)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _short(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]
