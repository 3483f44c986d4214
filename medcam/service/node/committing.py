"""Storage commitment: what is promised is what is on the disk, byte for byte as it was received."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from medcam.core.errors import MedcamError
from medcam.core.radiograph import Identity
from medcam.dicom.network.commitment import CommitmentReport, CommitmentRequest, Fault, Reference, report_to
from medcam.dicom.network.delivery import Parcel, pack
from medcam.dicom.network.destination import DimseDestination
from medcam.service.node.dead_letters import DeadLetters
from medcam.service.node.inbox import Inbox, InboxFile
from medcam.service.node.metrics import NodeMetrics
from medcam.store import Job, JobQueue

COMMIT = "commit"


def check(inbox: Inbox, request: CommitmentRequest) -> CommitmentReport:
    """Looks which objects of a request are kept: there, whole by their digest, and of the class that is named."""
    wanted = {Identity.folder_name(reference.sop_instance_uid) for reference in request.references}
    found: dict[str, list[InboxFile]] = {}
    for file in inbox.files():
        if file.instance in wanted:
            found.setdefault(file.instance, []).append(file)
    kept, failed = [], []
    for reference in request.references:
        fault = _fault(reference, found.get(Identity.folder_name(reference.sop_instance_uid), []))
        if fault is None:
            kept.append(reference)
        else:
            failed.append((reference, fault))
    return CommitmentReport(request.transaction_uid, tuple(kept), tuple(failed))


def _fault(reference: Reference, files: Sequence[InboxFile]) -> Fault | None:
    if not files:
        return Fault.NO_SUCH_OBJECT
    whole = [file for file in files if file.is_whole()]
    if not whole:
        return Fault.PROCESSING_FAILURE
    named = [pack(file.path) for file in whole]
    classes = {parcel.sop_class_uid for parcel in named if isinstance(parcel, Parcel)}
    return None if reference.sop_class_uid in classes else Fault.CLASS_CONFLICT


def ask_to_report(queue: JobQueue, request: CommitmentRequest) -> None:
    """Asks for a report to a peer over an association of its own; it survives a restart."""
    about = hashlib.sha256(f"{request.calling_aet}\\{request.transaction_uid}".encode()).hexdigest()
    references = [[one.sop_class_uid, one.sop_instance_uid] for one in request.references]
    payload = {"transaction": request.transaction_uid, "peer": request.calling_aet, "references": references}
    queue.enqueue(COMMIT, f"{COMMIT}:{about}", payload)


@dataclass(frozen=True, eq=False)
class CommitmentReporter:
    """Does jobs of kind "commit".

    Args:
        inbox: What was received.
        aet: The node's AE title.
        peers: Where those listen that ask, by AE title.
        metrics: What is counted.
        letters: For what is given up.
        report: Sends a report.
    """

    inbox: Inbox
    aet: str
    peers: Mapping[str, DimseDestination]
    metrics: NodeMetrics = field(repr=False)
    letters: DeadLetters = field(repr=False)
    report: Callable[[DimseDestination, str, CommitmentReport], None] = report_to

    def __call__(self, job: Job, leave: Callable[[], bool]) -> None:
        """Checks the objects of a request and reports on them.

        Raises:
            CommitmentError: The peer does not take the report.
        """
        peer = self.peers.get(job.payload["peer"])
        if peer is None:  # no longer a peer, and nobody waits for the report
            return
        references = tuple(Reference(*pair) for pair in job.payload["references"])
        answer = check(self.inbox, CommitmentRequest(job.payload["transaction"], references, job.payload["peer"]))
        self.report(peer, self.aet, answer)
        self.metrics.committed.inc(len(answer.kept))

    def bury(self, job: Job, error: MedcamError) -> None:
        """Keeps the dead letter of a report."""
        peer = self.peers.get(job.payload["peer"])
        self.letters.keep(job, error, "commitment", str(peer or ""))
