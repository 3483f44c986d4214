"""What a model of ours shows on films: made now, or read from a folder of explanations."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from medcam.cam.regions import region_mask
from medcam.core.arrays import BoolArray
from medcam.core.errors import InputError
from medcam.core.explanation import Explanation
from medcam.core.finding import Finding
from medcam.core.radiograph import Radiograph
from medcam.dicom import find_sources, load_radiograph
from medcam.evaluate.formats.places import filled
from medcam.evaluate.heat import Heat, Shown
from medcam.models.loaded import LoadedModel
from medcam.service.annotate.manifest import MANIFEST_NAME
from medcam.service.evaluation.true_places import Id, key_of
from medcam.service.explanations.attribution import maps_by
from medcam.service.explanations.explanation_json import read_explanation
from medcam.service.explanations.method_choice import chosen_method
from medcam.service.training.film_file import DICOM_SUFFIXES
from medcam.service.training.picture_films import SUFFIXES, picture_film

EXPLANATION = "explanation.json"


class FilmShown(Protocol):
    """One film, by what it is found and what is shown on it."""

    name: str

    def key(self, by: Id) -> str:
        """Its identifier, "" where it has none of the kind; raises an `InputError` where it cannot be read."""
        ...

    def shown(self) -> Mapping[str, Shown]:
        """What is shown, by finding; raises an `InputError` where that cannot be read."""
        ...


class ShownFilms(Protocol):
    """All films that a model was shown.

    Attributes:
        whole: Whether a film of the truth that is not among these has nothing shown on it; otherwise it is left out.
    """

    whole: bool

    def __iter__(self) -> Iterator[FilmShown]: ...

    def __len__(self) -> int: ...

    def about(self) -> Mapping[str, str]:
        """What made the places: kind, and model, version, digest and method where they are known."""
        ...


@dataclass(eq=False)
class ModelFilm:
    """A film in a file, and the model that looks at it when asked."""

    path: Path
    name: str
    model: LoadedModel
    method: str

    def film(self) -> Radiograph:
        """Reads the film; it is not kept, since all films at once may be more than the memory holds."""
        return picture_film(self.path) if self.path.suffix.lower() in SUFFIXES else load_radiograph(self.path)

    def key(self, by: Id) -> str:
        """As `FilmShown`."""
        if by is not Id.SOP_INSTANCE_UID:
            return key_of(self.name, by)
        return "" if self.path.suffix.lower() in SUFFIXES else self.film().identity.sop_instance_uid

    def shown(self) -> Mapping[str, Shown]:
        """As `FilmShown`."""
        film = self.film()
        prepared = self.model.prepare(film)
        inputs = prepared.values[None]
        prediction = self.model.predict(inputs)
        [maps] = maps_by(self.method, self.model, inputs, prediction, [prepared.transform])
        made = {}
        for card, activation, probability in zip(
            self.model.card.findings, maps, prediction.probabilities[0], strict=True
        ):
            made[card.name] = Shown(
                heat=Heat(activation.values, activation.transform),
                region=partial(region_mask, activation, card.rule_for(self.method)),
                probability=float(probability),
                present=bool(probability >= card.threshold),
                height=film.height,
                width=film.width,
            )
        return made


@dataclass(eq=False)
class ModelFilms:
    """Films of a folder, looked at by a model.

    Args:
        source: A film or a folder of films: DICOM, PNG, JPEG.
        model: The model.
        method: Attribution method; None for the model's own.

    Raises:
        UsageError: There is no such path or method.
    """

    source: Path
    model: LoadedModel
    method: str | None = None
    whole: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._method = chosen_method(self.method, self.model.card)
        suffixes = DICOM_SUFFIXES | set(SUFFIXES)
        self._paths = [path for path in find_sources([self.source]) if path.suffix.lower() in suffixes]

    def __len__(self) -> int:
        return len(self._paths)

    def __iter__(self) -> Iterator[FilmShown]:
        root = self.source if self.source.is_dir() else self.source.parent
        for path in self._paths:
            name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
            yield ModelFilm(path, name, self.model, self._method)

    def about(self) -> Mapping[str, str]:
        """As `ShownFilms`."""
        card = self.model.card
        return {
            "kind": "model",
            "model": card.name,
            "version": card.version,
            "weights_sha256": card.weights_sha256,
            "method": self._method,
        }


@dataclass(eq=False)
class ExplainedFile:
    """An explanation of `medcam annotate`."""

    path: Path
    name: str

    def explanation(self) -> Explanation:
        """Reads the explanation."""
        return read_explanation(self.path)

    def key(self, by: Id) -> str:
        """As `FilmShown`."""
        return (
            self.explanation().source.identity.sop_instance_uid if by is Id.SOP_INSTANCE_UID else key_of(self.name, by)
        )

    def shown(self) -> Mapping[str, Shown]:
        """As `FilmShown`."""
        return {finding.name: shown_finding(finding) for finding in self.explanation().findings}


@dataclass(eq=False)
class ExplainedFolder:
    """What `medcam annotate --out` wrote."""

    folder: Path
    whole: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._paths = sorted(self.folder.glob(f"*/*/{EXPLANATION}"))
        self._names = _sources(self.folder)

    def __len__(self) -> int:
        return len(self._paths)

    def __iter__(self) -> Iterator[FilmShown]:
        for path in self._paths:
            inside = path.parent.relative_to(self.folder).as_posix()
            yield ExplainedFile(path, self._names.get(inside, inside))

    def about(self) -> Mapping[str, str]:
        """As `ShownFilms`."""
        if not self._paths:
            return {"kind": "explanations"}
        first = read_explanation(self._paths[0])
        model = first.model
        return {
            "kind": "explanations",
            "model": model.name,
            "version": model.version,
            "weights_sha256": model.weights_sha256,
            "method": first.method,
        }


def _sources(folder: Path) -> Mapping[str, str]:
    """Names of the inputs by folder of results, where the run wrote them down."""
    try:
        content: Any = json.loads((folder / MANIFEST_NAME).read_text(encoding="utf-8"))
        return {str(item["folder"]): str(item["source"]) for item in content["annotated"]}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{MANIFEST_NAME} cannot be read ({type(error).__name__})") from error


def shown_finding(finding: Finding) -> Shown:
    """What an explanation shows of a finding."""
    transform = finding.map.transform
    return Shown(
        heat=Heat(finding.map.values, transform),
        region=partial(_drawn, finding),
        probability=finding.probability,
        present=finding.present,
        height=transform.source_height,
        width=transform.source_width,
    )


def _drawn(finding: Finding, height: int, width: int) -> BoolArray:
    """The outlines of the regions by the finding's first rule, filled."""
    mask = np.zeros((height, width), dtype=np.bool_)
    transform = finding.map.transform
    scale = np.array([width / transform.source_width, height / transform.source_height])
    for region in finding.regions:
        if region.rule == finding.regions[0].rule and len(region.contour) > 2:
            mask |= filled(np.array([(point.x, point.y) for point in region.contour]) * scale, height, width)
    return mask
