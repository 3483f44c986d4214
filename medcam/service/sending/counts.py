"""What became of the objects of a run that were to be sent."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeliveryCounts:
    """How many objects ended how.

    Args:
        sent: Accepted by the destination in this run.
        already_sent: Accepted in an earlier one.
        refused: The destination will not take them.
        failed: Not delivered; another run tries again.
    """

    sent: int = 0
    already_sent: int = 0
    refused: int = 0
    failed: int = 0

    @property
    def undelivered(self) -> int:
        """Refused and failed ones."""
        return self.refused + self.failed
