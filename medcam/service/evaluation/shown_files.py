"""What somebody's model shows on films: CheXlocalize's heat maps, and places in any format of the truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from medcam.evaluate.formats.errors import PlacesError
from medcam.evaluate.formats.pickled import read_pickle
from medcam.evaluate.heat import Floor, Heat, Shown
from medcam.service.evaluation.shown_places import EXPLANATION, ExplainedFolder, FilmShown, ShownFilms
from medcam.service.evaluation.true_places import Id, key_of, read_places

MAP_SUFFIX = "_map.pkl"
MOST_MAP_CELLS = 2**24


@dataclass(eq=False)
class HeatFile:
    """The heat maps of one film in CheXlocalize's pickles, by finding."""

    name: str
    paths: Mapping[str, Path]

    def key(self, by: Id) -> str:
        """As `FilmShown`."""
        return key_of(self.name, by)

    def shown(self) -> Mapping[str, Shown]:
        """As `FilmShown`."""
        return {finding: _pickled(path) for finding, path in self.paths.items()}


@dataclass(eq=False)
class HeatFolder:
    """A folder of CheXlocalize's heat maps: FILM_FINDING_map.pkl."""

    folder: Path
    whole: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._films: dict[str, dict[str, Path]] = {}
        for path in sorted(self.folder.rglob(f"*{MAP_SUFFIX}")):
            image, _, finding = path.name.removesuffix(MAP_SUFFIX).rpartition("_")
            self._films.setdefault(image, {})[finding] = path

    def __len__(self) -> int:
        return len(self._films)

    def __iter__(self) -> Iterator[FilmShown]:
        for image, paths in self._films.items():
            yield HeatFile(image, paths)

    def about(self) -> Mapping[str, str]:
        """As `ShownFilms`."""
        return {"kind": "heat-maps"}


@dataclass(eq=False)
class PlacedFile:
    """Places of one film that are cut out already."""

    name: str
    places: Mapping[str, Shown]

    def key(self, by: Id) -> str:
        """As `FilmShown`."""
        return key_of(self.name, by)

    def shown(self) -> Mapping[str, Shown]:
        """As `FilmShown`."""
        return self.places


@dataclass(eq=False)
class PlacedFiles:
    """Places of any format that the truth may have too; a film that the file does not name has nothing shown on it."""

    path: Path
    whole: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        self._read = read_places(self.path)

    def __len__(self) -> int:
        return len(self._read.films)

    def __iter__(self) -> Iterator[FilmShown]:
        for film in self._read.films.values():
            shown = {
                name: Shown(place=place, probability=place.score, height=film.height, width=film.width)
                for name, place in film.places.items()
            }
            yield PlacedFile(film.image, shown)

    def about(self) -> Mapping[str, str]:
        """As `ShownFilms`."""
        return {"kind": self._read.format, "sha256": self._read.sha256}


def predicted_films(path: Path) -> ShownFilms:
    """What somebody's model shows: a folder of `medcam annotate`, of heat maps, or a file or folder of places.

    Raises:
        PlacesError: A file of places is broken.
        UsageError: There is no such path (code `no-such-source`).
    """
    if path.is_dir() and any(path.glob(f"*/*/{EXPLANATION}")):
        return ExplainedFolder(path)
    if path.is_dir() and next(path.rglob(f"*{MAP_SUFFIX}"), None) is not None:
        return HeatFolder(path)
    return PlacedFiles(path)


def _pickled(path: Path) -> Shown:
    content = read_pickle(path)
    try:
        values = np.asarray(content["map"], dtype=np.float32)  # type: ignore[index]
        width, height = (int(side) for side in content["cxr_dims"])  # type: ignore[index]
        probability = content.get("prob")  # type: ignore[attr-defined]
        if values.size > MOST_MAP_CELLS:
            raise PlacesError(f"{path.name} holds a map of {values.size} cells")
        heat = Heat(values.reshape(values.shape[-2:]), floor=Floor.MINIMUM)
        return Shown(
            heat=heat, probability=None if probability is None else float(probability), height=height, width=width
        )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise PlacesError(f"{path.name} is no heat map of CheXlocalize's ({type(error).__name__})") from error
