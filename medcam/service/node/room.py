"""How much a node may still keep."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

from medcam.dicom.network.scp import OutOfResourcesError

RESERVE = 1 << 28
"""Bytes of the disk that stay free for results and for the database."""


class Room:
    """Counts the bytes of a data folder against its quota. Safe for several threads.

    Args:
        folder: The data folder.
        quota: Bytes that it may hold; None for as many as the disk has.
        reserve: Bytes of the disk that nothing received may take.
    """

    def __init__(self, folder: Path, quota: int | None, reserve: int = RESERVE) -> None:
        self._folder, self._reserve, self.quota = folder, reserve, quota
        self._lock = threading.Lock()
        self._used = 0
        self.measure()

    @property
    def used(self) -> int:
        """Bytes, as last measured, plus what has come since."""
        return self._used

    @property
    def free(self) -> int:
        """Bytes that may still come, by quota and disk."""
        left = max(0, shutil.disk_usage(self._folder).free - self._reserve)
        return left if self.quota is None else min(left, max(0, self.quota - self._used))

    def measure(self) -> int:
        """Walks the folder anew and returns its bytes."""
        used = _bytes_below(self._folder)
        with self._lock:
            self._used = used
        return used

    def take(self, size: int) -> None:
        """Takes room for so many bytes.

        Raises:
            OutOfResourcesError: There is not enough.
        """
        with self._lock:
            if size > self.free:
                raise OutOfResourcesError("there is no room left for received objects")
            self._used += size

    def give_back(self, size: int) -> None:
        """Returns room that was not used."""
        with self._lock:
            self._used = max(0, self._used - size)


def _bytes_below(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(parent, name), follow_symlinks=False).st_size  # noqa: PTH116, PTH118
            except OSError:  # gone meanwhile
                continue
    return total
