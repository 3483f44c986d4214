"""Anatomical zones of a film without known anatomy."""

from __future__ import annotations

import numpy as np

from medcam.anatomy.air import outer_air
from medcam.anatomy.atlas import LEFT_LUNG, RIGHT_LUNG, Atlas, shipped_atlas
from medcam.anatomy.film import SHORTEST, WorkingFilm, working_film
from medcam.anatomy.lungs import lay, lung_fields
from medcam.anatomy.quality import Agreement, agreement
from medcam.anatomy.register import Registration, RegistrationError, register
from medcam.anatomy.search import find_lungs_roughly, local_contrast
from medcam.core.arrays import BoolArray, FloatArray
from medcam.core.finding import ZonesSource
from medcam.core.radiograph import Radiograph, View
from medcam.core.zones import BODY_ZONES, Zones

LEAK = 0.35
"""Where more than this share of the expected lungs is taken for outer air, it is lung that the air has leaked into."""


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


def _anatomy(film: WorkingFilm, view: View, atlas: Atlas) -> tuple[dict[str, BoolArray], float]:
    values = film.values
    air = outer_air(values, film.valid)
    if view is View.LATERAL or min(values.shape) < SHORTEST or not _has_structure(values, ~air):
        return _body_only(~air), 0.0
    try:
        zones, parts = _lay_atlas(values, air, film.valid, atlas)
    except RegistrationError:
        # Not hidden: quality 0 is this function's word for "no zones".
        return _body_only(~air), 0.0
    if parts.quality == 0.0:
        return _body_only(~air), 0.0
    return zones, parts.quality


def _lay_atlas(
    values: FloatArray, air: BoolArray, valid: BoolArray, atlas: Atlas
) -> tuple[dict[str, BoolArray], Agreement]:
    placement = find_lungs_roughly(values, ~air, atlas)
    for lung in (atlas.right_lung, atlas.left_lung):
        air = _without_leaks(air, lay(lung, placement.box, air.shape, 0.03) > 0.5) | ~valid
    fields = lung_fields(values, ~air, placement, atlas)
    registration = register(np.maximum(fields.right, fields.left), fields.box, atlas)
    zones = _carried(registration, atlas, values.shape)
    outside = outer_air(values, valid)
    for half in (RIGHT_LUNG, LEFT_LUNG):
        outside = _without_leaks(outside, np.any([zones[name] for name in half], axis=0))
    body = ~outside & valid
    contrast = local_contrast(values, body, 0.30 * (fields.box[2] - fields.box[0]))
    parts = agreement(
        _upright_score(values, ~air, placement.score, atlas), contrast, body, fields, registration, zones, atlas
    )
    return {**{name: mask & body for name, mask in zones.items()}, "body": body}, parts


def _upright_score(values: FloatArray, known: BoolArray, score: float, atlas: Atlas) -> float:
    """The search's score, less what the film gains when it is turned over or sideways: a lung is wide at its base."""
    turned = max(
        find_lungs_roughly(np.rot90(values, turns), np.rot90(known, turns), atlas).score for turns in (1, 2, 3)
    )
    return score - max(0.0, 2.0 * (turned - score))


def _carried(registration: Registration, atlas: Atlas, shape: tuple[int, ...]) -> dict[str, BoolArray]:
    maps = np.stack([registration.carry(atlas.zone_map(name), shape) for name in BODY_ZONES])
    rest = np.clip(1.0 - maps.sum(axis=0), 0.0, 1.0)
    winner = np.argmax(np.concatenate([maps, rest[None]]), axis=0)
    return {name: np.asarray(winner == index) for index, name in enumerate(BODY_ZONES)}


def _without_leaks(air: BoolArray, lungs: BoolArray) -> BoolArray:
    leaked = float((air & lungs).sum()) > LEAK * max(1.0, float(lungs.sum()))
    return np.asarray(air & ~lungs) if leaked else air


def _has_structure(values: FloatArray, known: BoolArray) -> bool:
    return bool(known.mean() > 0.1) and float(values[known].std()) > 0.01


def _body_only(body: BoolArray) -> dict[str, BoolArray]:
    nothing = np.zeros_like(body)
    return {**dict.fromkeys(BODY_ZONES, nothing), "body": body}
