"""A file that never gives more at once than there is, or than is allowed."""

from __future__ import annotations

from typing import BinaryIO

from medcam.models.published.refusals import broken, too_large


class BoundedFile:
    """Reads a file like any other, and refuses what a hostile length asks for.

    Args:
        file: Open for reading.
        most: Bytes that one read may take.
        budget: Bytes that all reads together may take; None for as many as come.
    """

    def __init__(self, file: BinaryIO, most: int, budget: int | None = None) -> None:
        self._file, self._most, self._left = file, most, budget
        here = file.tell()
        self.size = file.seek(0, 2)
        file.seek(here)

    def tell(self) -> int:
        """Where the next read begins."""
        return self._file.tell()

    def seek(self, offset: int, whence: int = 0) -> int:
        """As of any file."""
        return self._file.seek(offset, whence)

    def seekable(self) -> bool:
        """It is."""
        return True

    def read(self, count: int = -1) -> bytes:
        """At most `count` bytes, fewer at the end of the file.

        Raises:
            ModelError: More would be read than is allowed ("checkpoint-too-large").
        """
        rest = max(0, self.size - self._file.tell())
        return self._taken(rest if count < 0 else min(count, rest))

    def exactly(self, count: int) -> bytes:
        """As `read`, but all of it.

        Raises:
            ModelError: There is less ("broken-checkpoint"), or as in `read`.
        """
        data = self.read(count)
        if len(data) != count:
            raise broken("it ends too early")
        return data

    def readline(self, limit: int = -1) -> bytes:
        """A line, cut at what one read may take."""
        most = self._most if limit < 0 else min(limit, self._most)
        line = self._file.readline(most)
        self._spend(len(line))
        return line

    def _taken(self, count: int) -> bytes:
        if count > self._most:
            raise too_large(f"{count} bytes in one piece")
        self._spend(count)
        return self._file.read(count)

    def _spend(self, count: int) -> None:
        if self._left is not None:
            self._left -= count
            if self._left < 0:
                raise too_large("its description is too long")
