"""The films of a store on disk: packed pixels for viewers, and copies of sources that have no file of their own.

Files are named by the digest of the DICOM file that they come from, so that no attribute of a film reaches a path:

    FILMS/<2 digits>/<64 digits>.film     packed pixels (`medcam.overlay.film16`)
    FILMS/<2 digits>/<64 digits>.dcm      the DICOM file, where it came from an archive or a network
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from medcam.core.errors import InputError, InvalidValueError
from medcam.service.output_errors import writing

_DIGEST = re.compile(r"[0-9a-f]{64}")
COPY = "copy"
"""What a film's record names as its source where a copy is kept."""
_FILE = "file:"


@dataclass(frozen=True, slots=True)
class FilmFiles:
    """The folder of films.

    Args:
        folder: Made when the first film is written.
    """

    folder: Path

    def pixels(self, sha256: str) -> bytes:
        """Packed pixels of a film.

        Raises:
            InputError: They are not there, or cannot be read (code `film-not-kept`).
        """
        try:
            return self._path(sha256, ".film").read_bytes()
        except OSError as error:
            raise InputError(
                f"the pixels of this film are not in the store's folder of films ({error.strerror or 'missing'})",
                code="film-not-kept",
                next_step="Annotate the film again with the same --store, or restore the folder from a backup.",
            ) from error

    def has_pixels(self, sha256: str) -> bool:
        """Whether packed pixels of a film are there."""
        return self._path(sha256, ".film").is_file()

    def keep_pixels(self, sha256: str, data: bytes) -> None:
        """Writes packed pixels, whole or not at all.

        Raises:
            OutputError: The disk refuses them.
        """
        self._write(self._path(sha256, ".film"), data)

    def keep_source(self, sha256: str, path: Path | None, data: bytes) -> str:
        """Makes sure that the DICOM file of a film can be read again.

        Args:
            sha256: Digest of the file.
            path: Where the file lies by itself; None where a copy has to be kept.
            data: Its bytes.

        Returns:
            What the film's record says of it; `source_bytes` understands it.

        Raises:
            OutputError: The disk refuses the copy.
        """
        if path is not None:
            return f"{_FILE}{path.absolute()}"
        self._write(self._path(sha256, ".dcm"), data)
        return COPY

    def source_path(self, sha256: str, source: str) -> Path:
        """Where the DICOM file of a film lies, if it still does."""
        return Path(source.removeprefix(_FILE)) if source.startswith(_FILE) else self._path(sha256, ".dcm")

    def all(self) -> Iterator[Path]:
        """All files, in the order of their names."""
        for folder in sorted(self.folder.glob("[0-9a-f][0-9a-f]")):
            yield from sorted(path for path in folder.iterdir() if path.suffix in (".film", ".dcm"))

    def _path(self, sha256: str, suffix: str) -> Path:
        if not _DIGEST.fullmatch(sha256):
            raise InvalidValueError("a digest has 64 hexadecimal digits")
        return self.folder / sha256[:2] / f"{sha256}{suffix}"

    def _write(self, path: Path, data: bytes) -> None:
        with writing():
            if path.is_file() and path.stat().st_size == len(data):
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f".{path.name}.{os.getpid()}.part")
            try:
                part.write_bytes(data)
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
