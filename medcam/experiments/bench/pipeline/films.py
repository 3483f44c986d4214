"""The files that the pipeline is measured on: phantoms in a fixed mix of codecs, as many as are asked for.

Drawing a phantom takes seconds, so that a few are drawn and the others are the same films under UIDs of their own: each
is a whole file that is read, decoded and annotated like any other.
"""

from __future__ import annotations

from pathlib import Path

from medcam.core.errors import UsageError
from medcam.core.radiograph import Identity
from medcam.dicom import Codec, read_context
from medcam.service.phantoms.make_phantoms import make_phantoms

CODECS = len(Codec)
"""Transfer syntaxes in the mix, in turn: uncompressed, RLE, JPEG-LS, JPEG 2000, all lossless."""
_SEED = 79
_DIGITS = 6


def make_films(folder: Path, count: int, *, rendered: int, side: int, workers: int) -> list[Path]:
    """Makes the files.

    Args:
        folder: Where they go.
        count: How many.
        rendered: How many of them are drawn.
        side: In pixels.
        workers: Processes that draw.

    Returns:
        Their paths, the codecs in turn.
    """
    drawn = folder / "drawn"
    make_phantoms(drawn, min(rendered, count), seed=_SEED, size=side, masks=False, workers=workers)
    originals = sorted(drawn.glob("*.dcm"))
    copies = folder / "copies"
    copies.mkdir()
    identities = [read_context(path).identity for path in originals]
    for number in range(len(originals), count):
        place = number % len(originals)
        _copy(originals[place], identities[place], copies / f"film-{number:06d}.dcm", number)
    return [*originals, *sorted(copies.iterdir())]


def other_uid(uid: str, number: int) -> str:
    """A UID of the same length that ends in a number.

    Raises:
        UsageError: There is no room for the number in it.
    """
    digits = f"{number:0{_DIGITS}d}"
    if len(digits) > _DIGITS or len(uid.rpartition(".")[2]) <= _DIGITS:
        raise UsageError(f"no more than {10**_DIGITS} films can be told apart by UIDs of this length")
    return uid[:-_DIGITS] + digits


def _copy(original: Path, identity: Identity, target: Path, number: int) -> None:
    data = original.read_bytes()
    for uid in (identity.sop_instance_uid, identity.series_instance_uid, identity.study_instance_uid):
        data = data.replace(uid.encode("ascii"), other_uid(uid, number).encode("ascii"))
    target.write_bytes(data)
