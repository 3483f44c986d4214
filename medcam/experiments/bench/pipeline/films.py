"""The files that the pipeline is measured on: phantoms in a fixed mix of codecs, as many as are asked for.

Drawing a phantom takes seconds, so that a few are drawn and the others are the same films under UIDs of their own: each
is a whole file that is read, decoded and annotated like any other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from medcam.core.errors import UsageError
from medcam.core.radiograph import Identity
from medcam.dicom import Codec, read_context
from medcam.service.phantoms.make_phantoms import make_phantoms

CODECS = len(Codec)
"""Transfer syntaxes in the mix, in turn: uncompressed, RLE, JPEG-LS, JPEG 2000, all lossless."""
_SEED = 79
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class DrawnFilms:
    """Phantoms, and any number of films made of them.

    Args:
        paths: The phantoms, the codecs in turn.
        identities: Theirs.
    """

    paths: tuple[Path, ...]
    identities: tuple[Identity, ...] = field(repr=False)

    def copy(self, number: int, target: Path) -> None:
        """Writes a film like one of the phantoms, which are taken in turn, as an object of its own.

        Args:
            number: Whose digits its UIDs end in.
            target: Where it goes; what is there is overwritten.

        Raises:
            UsageError: There is no room for the number in a UID.
        """
        place = number % len(self.paths)
        data = self.paths[place].read_bytes()
        identity = self.identities[place]
        for uid in (identity.sop_instance_uid, identity.series_instance_uid, identity.study_instance_uid):
            data = data.replace(uid.encode("ascii"), other_uid(uid, number).encode("ascii"))
        target.write_bytes(data)


def draw_films(folder: Path, count: int, *, side: int, workers: int) -> DrawnFilms:
    """Draws phantoms.

    Args:
        folder: Where they go.
        count: How many.
        side: In pixels.
        workers: Processes that draw.
    """
    make_phantoms(folder, count, seed=_SEED, size=side, masks=False, workers=workers)
    paths = tuple(sorted(folder.glob("*.dcm")))
    return DrawnFilms(paths, tuple(read_context(path).identity for path in paths))


def film_path(folder: Path, number: int) -> Path:
    """Where the film of a number lies in a folder; names are in the order of the numbers."""
    return folder / f"film-{number:0{_DIGITS}d}.dcm"


def make_films(drawn: DrawnFilms, folder: Path, count: int) -> list[Path]:
    """Makes files of phantoms.

    Args:
        drawn: The phantoms, which are the first of the files.
        folder: Where the others go; made.
        count: How many files in all.

    Returns:
        Their paths, the codecs in turn.
    """
    folder.mkdir()
    made = []
    for number in range(len(drawn.paths), count):
        made.append(film_path(folder, number))
        drawn.copy(number, made[-1])
    return [*drawn.paths[:count], *made]


def other_uid(uid: str, number: int) -> str:
    """A UID of the same length that ends in a number.

    Raises:
        UsageError: There is no room for the number in it.
    """
    digits = f"{number:0{_DIGITS}d}"
    if len(digits) > _DIGITS or len(uid.rpartition(".")[2]) <= _DIGITS:
        raise UsageError(f"no more than {10**_DIGITS} films can be told apart by UIDs of this length")
    return uid[:-_DIGITS] + digits
