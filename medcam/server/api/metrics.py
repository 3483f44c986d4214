"""What the API counts. No patient data: numbers, and labels from fixed lists."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from medcam.core.errors import MedcamError
from medcam.store import JobQueue

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class ApiMetrics:
    """Counters of one server, in a registry of its own.

    Args:
        queue: The jobs of the store, counted when somebody asks.
    """

    def __init__(self, queue: JobQueue) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "medcam_api_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "medcam_api_seconds",
            "Time until an answer began.",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.submissions = Counter("medcam_api_submissions", "Submissions taken.", registry=self.registry)
        self.bytes = Counter("medcam_api_submitted_bytes", "Bytes of submissions taken.", registry=self.registry)
        self.refused = Counter("medcam_api_refused", "Requests refused.", ("code",), registry=self.registry)
        self.registry.register(_Jobs(queue))

    def exposition(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self.registry)


class _Jobs(Collector):
    """Jobs by kind and state, looked up and not counted."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing is looked up before somebody asks."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One gauge; nothing where the database is away, so that the other figures are told all the same."""
        jobs = GaugeMetricFamily("medcam_jobs", "Jobs by kind and state.", labels=("kind", "state"))
        try:
            for (kind, state), number in self._queue.counts().items():
                jobs.add_metric((kind, str(state)), number)
        except MedcamError:
            return
        yield jobs
