"""A destination in memory, and what a node has counted."""

from __future__ import annotations

from medcam.dicom.network.delivery import Delivery, DeliveryOutcome
from medcam.service.jobs.retrying import RetryPolicy

PACS = "PACS@127.0.0.1:104"
AT_ONCE = RetryPolicy(attempts=2, first=0.0)


class Destination:
    """Takes what comes, or does not."""

    def __init__(self) -> None:
        self.outcome, self.code = DeliveryOutcome.ACCEPTED, ""
        self.got: dict[str, list[bytes]] = {}

    def __call__(self, destination, files, _security):
        assert str(destination) == PACS
        if self.outcome is DeliveryOutcome.ACCEPTED:
            for path in files:
                self.got.setdefault("/".join(path.parts[-3:]), []).append(path.read_bytes())
        return [Delivery(path, "1.2", "1.3", self.outcome, self.code, "so it is") for path in files]


def figures(core):
    """The figures that a node tells, by name and labels."""
    lines = core.metrics.exposition().decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}
