"""The films of a long run: made shortly before the run comes to them, deleted behind it.

Ten thousand films of 2048 x 2048 pixels would take 65 GB of the disk. A run looks for its files when it begins and
reads them in their order, so that every one is there from the beginning, empty, and is filled in good time.
"""

from __future__ import annotations

from pathlib import Path

from medcam.experiments.bench.pipeline.films import DrawnFilms, film_path

AHEAD = 256
"""Films that are filled ahead of those that are finished: many times what a run has under way."""
_BEHIND = 64


class FilmFeed:
    """Files in a folder, filled as a run goes on.

    Args:
        drawn: What they are made of.
        folder: Where they go; made.
        count: How many.
        ahead: How many are filled beyond those that are finished.
    """

    def __init__(self, drawn: DrawnFilms, folder: Path, count: int, *, ahead: int = AHEAD) -> None:
        folder.mkdir()
        self.paths = tuple(film_path(folder, number) for number in range(count))
        self._drawn = drawn
        self._ahead = ahead
        self._filled = self._deleted = 0
        for path in self.paths:
            path.touch()
        self.finished(0)

    def finished(self, count: int) -> None:
        """Fills and deletes files.

        Args:
            count: How many the run has dealt with.
        """
        while self._filled < min(count + self._ahead, len(self.paths)):
            self._drawn.copy(self._filled, self.paths[self._filled])
            self._filled += 1
        while self._deleted < count - _BEHIND:
            self.paths[self._deleted].unlink()
            self._deleted += 1
