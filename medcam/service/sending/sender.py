"""Sends the objects of a run while it goes on, and tries again what failed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from threading import Condition, Thread
from types import TracebackType
from typing import Self

from medcam.dicom.network.delivery import Delivery, DeliveryOutcome
from medcam.service.jobs.retrying import RetryPolicy
from medcam.service.sending.counts import DeliveryCounts
from medcam.service.sending.outbox import ALREADY_THERE, Outbox

BATCH = 32
"""Objects per association: few enough that a kill makes few of them go out twice."""
LONGEST_STOP_S = 5.0
PATIENCE = RetryPolicy(attempts=5, first=1.0, factor=3.0, longest=60.0)


class Sender:
    """A thread that empties an outbox. Leaving its block by an exception gives up what waits; nothing is lost by it.

    After a failure the whole outbox waits, longer each time, since most failures are those of the destination.

    Args:
        outbox: Sends.
        policy: How often an object is tried and how long is waited.
    """

    def __init__(self, outbox: Outbox, policy: RetryPolicy = PATIENCE) -> None:
        self._outbox, self._policy = outbox, policy
        self._changed = Condition()
        self._waiting: deque[Path] = deque()
        self._failures: dict[Path, int] = {}
        self._in_a_row = 0
        self._counts = DeliveryCounts()
        self._closing = self._stopped = False
        self._error: Exception | None = None
        self._thread = Thread(target=self._run, name="medcam-sender", daemon=True)

    def add(self, files: Iterable[Path]) -> None:
        """Puts files into the outbox.

        Raises:
            MedcamError: The sender has had to stop.
        """
        with self._changed:
            if self._error is not None:
                raise self._error
            self._waiting.extend(files)
            self._changed.notify_all()

    def finish(self) -> DeliveryCounts:
        """Waits until everything is delivered or given up.

        Raises:
            MedcamError: The sender has had to stop.
        """
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._counts

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._closing = self._stopped = True
            self._changed.notify_all()
        self._thread.join(LONGEST_STOP_S)

    def _run(self) -> None:
        try:
            while batch := self._next():
                self._settle(self._outbox.send(batch))
        except Exception as error:  # noqa: BLE001 - raised again in the thread that waits
            with self._changed:
                self._error = error

    def _next(self) -> list[Path]:
        """The files of the next attempt; empty when there will be none."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            if self._closing and self._in_a_row >= self._policy.attempts:
                self._give_up()
            if self._stopped:
                return []
            return [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]

    def _give_up(self) -> None:
        """The destination has failed so often in a row that the rest waits for another run."""
        self._counts = replace(self._counts, failed=self._counts.failed + len(self._waiting))
        self._waiting.clear()

    def _settle(self, deliveries: list[Delivery]) -> None:
        failed = [item for item in deliveries if item.outcome is DeliveryOutcome.FAILED]
        for item in deliveries:
            self._count(item)
        if not failed:
            self._in_a_row = 0
            return
        self._in_a_row = self._in_a_row + 1 if len(failed) == len(deliveries) else 1
        asked = max(item.retry_after_s for item in failed)
        wait = min(self._policy.longest, max(asked, self._policy.delay(self._in_a_row)))
        with self._changed:
            if self._waiting or not self._closing:
                self._changed.wait_for(lambda: self._stopped, wait)

    def _count(self, item: Delivery) -> None:
        if item.outcome is DeliveryOutcome.ACCEPTED:
            if item.detail == ALREADY_THERE:
                self._counts = replace(self._counts, already_sent=self._counts.already_sent + 1)
            else:
                self._counts = replace(self._counts, sent=self._counts.sent + 1)
        elif item.outcome is DeliveryOutcome.REFUSED:
            self._counts = replace(self._counts, refused=self._counts.refused + 1)
        else:
            self._failures[item.path] = self._failures.get(item.path, 0) + 1
            if self._failures[item.path] >= self._policy.attempts:
                self._counts = replace(self._counts, failed=self._counts.failed + 1)
                return
            with self._changed:
                self._waiting.append(item.path)
