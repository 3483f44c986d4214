"""Where findings truly are, by any of the formats that people have, and how their films are found again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from medcam.core.arrays import BoolArray
from medcam.core.codes import slug
from medcam.core.errors import UsageError
from medcam.evaluate.formats.errors import PlacesError
from medcam.evaluate.formats.jsons import read_json
from medcam.evaluate.formats.places import Collected, Place, PlacedFilm
from medcam.evaluate.formats.runs import MOST_PIXELS
from medcam.evaluate.formats.tables import read_table
from medcam.phantom import FINDINGS
from medcam.service.phantoms.truth import TRUTH_NAME, TrueFinding, read_truth

SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".dcm", ".dicom"))
PHANTOM, MASKS = "phantom", "masks"


class Id(StrEnum):
    """By what films of the truth are found among others."""

    FILE_NAME = "file-name"
    """The file's name without folder and suffix."""
    PATH = "path"
    """The path below the folder without suffix, its parts joined by "_": patient1/study1/view1.jpg is
    patient1_study1_view1, as CheXlocalize names its films."""
    SOP_INSTANCE_UID = "sop-instance-uid"
    """The SOP Instance UID of a DICOM file."""


_USUAL: Mapping[str, Id] = {
    PHANTOM: Id.SOP_INSTANCE_UID,
    "siim": Id.SOP_INSTANCE_UID,
    "chexlocalize": Id.PATH,
    "chexlocalize-outlines": Id.PATH,
}


@dataclass(frozen=True, eq=False)
class TruePlaces:
    """Where findings are on films.

    Args:
        format: Name of the format.
        sha256: Digest of the file; of the paths and files of a folder.
        id: By what the films are found.
        films: By that identifier.
    """

    format: str
    sha256: str
    id: Id
    films: Mapping[str, PlacedFilm] = field(repr=False)

    def patient(self, key: str) -> str:
        """The patient of a film: as the file says, else the film itself."""
        return self.films[key].patient or key


def read_places(path: Path | str, by: Id | None = None, rename: Mapping[str, str] | None = None) -> TruePlaces:
    """Reads where findings are.

    Args:
        path: A table or JSON file of a known format, `truth.json` of phantoms, the folder that it lies in, or a
            folder of masks, one folder per finding with a PNG per film.
        by: How films are found again; None for what is usual for the format.
        rename: Findings that the model calls otherwise: name in the file to name in the model.

    Raises:
        PlacesError: The file is broken or of no known format.
        TruthError: The truth of phantoms is broken.
        UsageError: There is no such path (code `no-such-source`), or two films have the same identifier.
    """
    path = Path(path)
    if not path.exists():
        raise UsageError(f"there is no {path}", code="no-such-source", next_step="Check the path.")
    name, films, digest = _read(path)
    chosen = by or _USUAL.get(name, Id.FILE_NAME)
    found: dict[str, PlacedFilm] = {}
    for film in films:
        key = key_of(film.image, chosen)
        if key in found:
            raise UsageError(
                "two films of the truth have the same identifier", next_step="Choose another --id, such as path."
            )
        found[key] = renamed(film, rename or {})
    return TruePlaces(name, digest, chosen, found)


def key_of(image: str, by: Id) -> str:
    """The identifier of a film by its name in a file, or by its path."""
    if by is Id.SOP_INSTANCE_UID:
        return image
    path = PurePosixPath(image.replace("\\", "/"))
    bare = path.with_suffix("") if path.suffix.lower() in SUFFIXES else path
    return bare.name if by is Id.FILE_NAME else "_".join(part for part in bare.parts if part not in ("/", ".", ".."))


def renamed(film: PlacedFilm, names: Mapping[str, str]) -> PlacedFilm:
    """A film whose findings have other names; places that fall together are joined."""
    wanted = {slug(old): new for old, new in names.items()}
    places: dict[str, Place] = {}
    for finding, place in film.places.items():
        name = wanted.get(slug(finding), finding)
        places[name] = places[name].joined(place) if name in places else place
    return PlacedFilm(film.image, places, film.height, film.width, film.patient)


def _read(path: Path) -> tuple[str, list[PlacedFilm], str]:
    if path.is_dir() and (path / TRUTH_NAME).is_file():
        path = path / TRUTH_NAME
    if path.is_dir():
        return MASKS, _masks(path), _digest(sorted(path.glob("*/*.png")), path)
    if path.name == TRUTH_NAME:
        return PHANTOM, _phantoms(path.parent), _digest([path], path.parent)
    name, films = read_json(path) if path.suffix.lower() == ".json" else read_table(path)
    return name, films, _digest([path], path.parent)


def _digest(paths: Iterable[Path], folder: Path) -> str:
    """Of one file its SHA-256; of several, of their paths and digests."""
    parts = [(path.relative_to(folder).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()) for path in paths]
    if len(parts) == 1:
        return parts[0][1]
    return hashlib.sha256("\n".join(f"{digest}  {name}" for name, digest in parts).encode()).hexdigest()


def _phantoms(folder: Path) -> list[PlacedFilm]:
    films = []
    for uid, truth in read_truth(folder).items():
        places = {name: Place() for name in dict.fromkeys((*FINDINGS, *truth.names))}
        for finding in truth.findings:
            places[finding.name] = places[finding.name].joined(_phantom_place(finding))
        films.append(PlacedFilm(uid, places))
    return films


def _phantom_place(finding: TrueFinding) -> Place:
    return Place((finding.box,)) if finding.mask_path is None else Place(picture=partial(_phantom_mask, finding))


def _phantom_mask(finding: TrueFinding) -> BoolArray:
    mask = finding.mask()
    assert mask is not None
    return mask


def _masks(folder: Path) -> list[PlacedFilm]:
    """Folders of masks: FINDING/FILM.png, white where the finding is; all black says that it is absent."""
    collected = Collected()
    for path in sorted(folder.glob("*/*.png")):
        size, marked = _look(path)
        picture: Callable[[], BoolArray] = partial(_mask, path)
        collected.add(path.stem, path.parent.name, Place(picture=picture) if marked else Place(), size)
    if not collected.films:
        raise PlacesError(f"{folder.name} holds no truth.json, and no masks as FINDING/FILM.png")
    return list(collected.films.values())


def _look(path: Path) -> tuple[tuple[int, int], bool]:
    mask = _mask(path)
    return (mask.shape[0], mask.shape[1]), bool(mask.any())


def _mask(path: Path) -> BoolArray:
    try:
        with Image.open(path) as picture:
            if picture.width * picture.height > MOST_PIXELS or picture.mode not in ("1", "L", "P", "I;16", "I"):
                raise PlacesError(f"{path.name} is no mask: {picture.mode}, {picture.width} x {picture.height}")
            return np.asarray(picture) > 0
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise PlacesError(f"{path.name} cannot be read as a mask") from error
