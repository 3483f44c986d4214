"""Anatomical zones of a film without known anatomy."""

from __future__ import annotations

import numpy as np

from medcam.anatomy.atlas import LEFT_LUNG, RIGHT_LUNG, Atlas, shipped_atlas
from medcam.anatomy.film import SHORTEST, WorkingFilm, working_film
from medcam.anatomy.quality import Agreement, agreement
from medcam.anatomy.register import Registration, RegistrationError, register
from medcam.anatomy.search import find_lungs_roughly, local_contrast
from medcam.anatomy.sight import look, without_leaks
from medcam.core.arrays import BoolArray, FloatArray
from medcam.core.finding import ZonesSource
from medcam.core.radiograph import Radiograph, View
from medcam.core.zones import BODY_ZONES, Zones


def find_zones(radiograph: Radiograph, atlas: Atlas | None = None) -> Zones:
    """Lays the atlas on a film.

    Args:
        radiograph: The film. Patient Orientation is followed; without it the patient's right is taken to be on the left
            of the picture and the head at the top.
        atlas: The atlas; None for the one shipped with the package.

    Returns:
        Zones on a grid with the film's extent and at most 192 pixels along its longer side. A film on which nothing
        could be laid (lateral view, far too narrow, constant, no lungs) gets quality 0 with body and outside alone;
        zones below `MIN_QUALITY` are to be dropped.
    """
    film = working_film(radiograph)
    known_anatomy, quality = _anatomy(film, radiograph.view, atlas or shipped_atlas())
    upright = {name: film.orientation.back(mask) for name, mask in known_anatomy.items()}
    return Zones.from_anatomy(upright, source=ZonesSource.REGISTRATION, quality=quality)


def chest_likeness(radiograph: Radiograph, atlas: Atlas | None = None) -> float:
    """How much a film looks like a frontal chest film, whatever its attributes say.

    Args:
        radiograph: The film; Patient Orientation is followed.
        atlas: The atlas; None for the one shipped with the package.

    Returns:
        0 (not at all) to 1, see `Agreement.likeness`; 0 where the atlas cannot be laid on the film. Below `UNLIKELY`
        it is taken for something else.
    """
    laid = _lay_atlas(working_film(radiograph), atlas or shipped_atlas())
    return 0.0 if laid is None else laid[1].likeness


def _anatomy(film: WorkingFilm, view: View, atlas: Atlas) -> tuple[dict[str, BoolArray], float]:
    laid = None if view is View.LATERAL else _lay_atlas(film, atlas)
    if laid is None or laid[1].quality == 0.0:
        # Not hidden: quality 0 is this function's word for "no zones".
        return _body_only(~film.air), 0.0
    zones, parts = laid
    return zones, parts.quality


def _lay_atlas(film: WorkingFilm, atlas: Atlas) -> tuple[dict[str, BoolArray], Agreement] | None:
    """Zones and how well they fit; None where there is nothing to lay an atlas on, or it finds no hold."""
    if min(film.values.shape) < SHORTEST or not _has_structure(film.values, ~film.air):
        return None
    try:
        return _laid(film, atlas)
    except RegistrationError:
        return None


def _laid(film: WorkingFilm, atlas: Atlas) -> tuple[dict[str, BoolArray], Agreement]:
    values, sight = film.values, look(film, atlas)
    fields = sight.fields
    registration = register(fields.both, fields.box, atlas)
    zones = _carried(registration, atlas, values.shape)
    outside = film.air
    for half in (RIGHT_LUNG, LEFT_LUNG):
        outside = without_leaks(outside, np.any([zones[name] for name in half], axis=0))
    body = ~outside & film.valid
    contrast = local_contrast(values, body, 0.30 * (fields.box[2] - fields.box[0]))
    score = _upright_score(values, ~sight.air, sight.placement.score, atlas)
    parts = agreement(score, contrast, body, fields, registration, zones, atlas)
    return {**{name: mask & body for name, mask in zones.items()}, "body": body}, parts


def _upright_score(values: FloatArray, known: BoolArray, score: float, atlas: Atlas) -> float:
    """The search's score, less what the film gains when it is turned over or sideways: a lung is wide at its base."""
    turned = max(
        find_lungs_roughly(np.rot90(values, turns), np.rot90(known, turns), atlas).score for turns in (1, 2, 3)
    )
    return score - max(0.0, 2.0 * (turned - score))


def _carried(registration: Registration, atlas: Atlas, shape: tuple[int, ...]) -> dict[str, BoolArray]:
    """The atlas's organs where the registration puts them, each pixel to the likeliest; the lungs cut into thirds."""
    maps = [registration.carry(values, shape) for values in atlas.organs().values()]
    rest = np.clip(1.0 - np.sum(maps, axis=0), 0.0, 1.0)
    winner = np.argmax(np.stack([*maps, rest]), axis=0)
    organs = {name: np.asarray(winner == index) for index, name in enumerate(atlas.organs())}
    right, left = organs.pop("right-lung"), organs.pop("left-lung")
    return {**_thirds(right, RIGHT_LUNG), **_thirds(left, LEFT_LUNG), **organs}


def _thirds(lung: BoolArray, names: tuple[str, ...]) -> dict[str, BoolArray]:
    """A lung's zones are thirds of its height, as on the phantoms."""
    rows = np.flatnonzero(lung.any(axis=1))
    edges = np.linspace(rows[0], rows[-1] + 1, len(names) + 1) if rows.size else np.zeros(len(names) + 1)
    number = np.digitize(np.arange(lung.shape[0]), np.rint(edges[1:-1]))
    return {name: lung & (number == index)[:, None] for index, name in enumerate(names)}


def _has_structure(values: FloatArray, known: BoolArray) -> bool:
    return bool(known.mean() > 0.1) and float(values[known].std()) > 0.01


def _body_only(body: BoolArray) -> dict[str, BoolArray]:
    nothing = np.zeros_like(body)
    return {**dict.fromkeys(BODY_ZONES, nothing), "body": body}
