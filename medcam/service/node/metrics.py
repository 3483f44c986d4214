"""What a node counts. No patient data: numbers, and labels from fixed lists."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from medcam.core.errors import MedcamError
from medcam.service.node.room import Room
from medcam.store import JobQueue

_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900)


class NodeMetrics:
    """Counters of one node, in a registry of its own.

    Args:
        queue: Its jobs, counted when somebody asks.
        room: Its disk, likewise.
    """

    def __init__(self, queue: JobQueue, room: Room) -> None:
        self.registry = CollectorRegistry()

        def counter(name: str, what: str, *labels: str) -> Counter:
            return Counter(f"medcam_{name}", what, labels, registry=self.registry)

        self.received = counter("received", "Objects kept and acknowledged, those that were here before not counted.")
        self.duplicates = counter("received_again", "Objects acknowledged that were here before.")
        self.events = counter("network_events", "Associations, and connections or objects refused.", "event")
        self.annotated = counter("annotated", "Films explained.")
        self.skipped = counter("skipped", "Objects passed over.")
        self.quarantined = counter("quarantined", "Objects refused by the reader.")
        self.sent = counter("sent", "Objects that a destination has accepted.")
        self.failed = counter("failed", "Jobs that failed and are tried again.", "kind")
        self.dead = counter("dead", "Jobs given up.", "kind")
        self.committed = counter("committed", "Objects reported as committed.")
        self.purged = counter("purged_studies", "Studies let go of.")
        self.seconds = Histogram(
            "medcam_job_seconds", "Time that a job took.", ("kind",), buckets=_SECONDS, registry=self.registry
        )
        self.registry.register(_State(queue, room))

    def exposition(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self.registry)


class _State(Collector):
    """Figures that are looked up, not counted."""

    def __init__(self, queue: JobQueue, room: Room) -> None:
        self._queue, self._room = queue, room

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing is looked up before somebody asks."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Jobs by kind and state, and bytes."""
        jobs = GaugeMetricFamily("medcam_jobs", "Jobs by kind and state.", labels=("kind", "state"))
        try:
            for (kind, state), number in self._queue.counts().items():
                jobs.add_metric((kind, str(state)), number)
            yield jobs
        except MedcamError:  # the other figures are told all the same
            pass
        disk = GaugeMetricFamily("medcam_disk_bytes", "Bytes of the data folder.", labels=("what",))
        disk.add_metric(("used",), self._room.used)
        disk.add_metric(("free",), self._room.free)
        if self._room.quota is not None:
            disk.add_metric(("quota",), self._room.quota)
        yield disk
