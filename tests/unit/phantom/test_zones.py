"""Anatomy masks: disjoint, whole, and named by the patient's sides."""

from __future__ import annotations

import numpy as np

from medcam.core.finding import ZonesSource
from medcam.core.zones import BODY_ZONES, LUNG_ZONES, ZONES, Zones
from medcam.phantom import Case, Phantom


def test_the_masks_are_those_that_zones_are_made_of(healthy: list[Phantom]) -> None:
    for film in healthy:
        assert set(film.zones) == {*BODY_ZONES, "body", "spine"}
        assert all(mask.dtype == np.bool_ and mask.shape == film.linear.shape for mask in film.zones.values())


def test_zones_are_disjoint_and_lie_in_the_body(healthy: list[Phantom], crowded: list[tuple[Case, Phantom]]) -> None:
    for film in [*healthy, *(film for _, film in crowded)]:
        inner = [film.zones[name] for name in BODY_ZONES]
        assert np.sum(inner, axis=0).max() == 1
        for name in (*LUNG_ZONES, "heart", "mediastinum", "spine"):
            assert film.zones[name].any(), name
            assert not (film.zones[name] & ~film.zones["body"]).any(), name


def test_with_elsewhere_and_outside_they_cover_the_film(healthy: list[Phantom]) -> None:
    for film in healthy:
        zones = Zones.from_anatomy(film.zones, source=ZonesSource.PHANTOM, quality=1.0)
        assert np.array_equal(np.sum([zones.masks[name] for name in ZONES], axis=0), np.ones(film.linear.shape))
        for name in BODY_ZONES:
            assert np.array_equal(zones.masks[name], film.zones[name])


def test_the_patients_right_is_on_the_left_of_the_picture(healthy: list[Phantom]) -> None:
    for film in healthy:
        for part in ("upper", "middle", "lower"):
            right, left = (np.nonzero(film.zones[f"{side}-{part}-lung"])[1] for side in ("right", "left"))
            assert right.mean() < np.nonzero(film.zones["spine"])[1].mean() < left.mean()


def test_lung_zones_lie_one_below_the_other_and_are_of_like_height(healthy: list[Phantom]) -> None:
    for film in healthy:
        for side in ("right", "left"):
            rows = [
                np.flatnonzero(film.zones[f"{side}-{part}-lung"].any(axis=1)) for part in ("upper", "middle", "lower")
            ]
            assert rows[0][-1] < rows[1][0] <= rows[1][-1] < rows[2][0]
            heights = [some.size for some in rows]
            assert max(heights) - min(heights) <= 2


def test_the_heart_grows_with_cardiomegaly_and_takes_from_the_lungs(pairs) -> None:
    for pair in pairs["Cardiomegaly"]:
        grown, before = pair.film.zones, pair.partner.zones
        assert grown["heart"].sum() > 1.1 * before["heart"].sum()
        assert grown["left-lower-lung"].sum() < before["left-lower-lung"].sum()
