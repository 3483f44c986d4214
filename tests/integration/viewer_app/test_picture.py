"""What is seen is what the numbers say: grey values, colours, outlines and letters, by both renderers."""

from __future__ import annotations

import re

import numpy as np
import pytest

from medcam.core.arrays import ByteArray, FloatArray
from medcam.core.resample import Sampler
from medcam.overlay.blend import Shading

from . import films
from .browser import save

SCALE, MAP_THRESHOLD = 8.0, 1.0
WINDOWS = ("linear", "linear-exact", "sigmoid", "table", "mirror", "fraction", "step")


def grey_of(name: str) -> ByteArray:
    film = films.film(name)
    return np.rint(film.window.apply(film.pixels) * 255.0).astype(np.uint8)


def map_on_film(number: int, name: str) -> FloatArray:
    film = films.film(name)
    return Sampler.to_source(film.grid, *film.pixels.shape).apply(films.map_values(number + 1))


@pytest.mark.parametrize("renderer", ["webgl", "canvas"])
def test_every_pixel_is_as_the_window_says(look, renderer):
    for name, viewer in zip(WINDOWS, look(*WINDOWS, renderer=renderer, findings="0", height="480"), strict=True):
        assert viewer.root.get_attribute("data-renderer") == renderer
        viewer.press("1")
        picture = viewer.film()
        expected = grey_of(name)

        assert np.array_equal(picture, np.repeat(expected[:, :, None], 3, axis=2)), name
        assert expected.min() < 40
        assert expected.max() > 215


@pytest.mark.parametrize("renderer", ["webgl", "canvas"])
def test_turned_mirrored_inverted_and_coloured_pixels_are_exact_too(look, renderer):
    (viewer,) = look("linear", renderer=renderer, overlay="1")
    viewer.press("1", "k")
    expected = Shading(SCALE, MAP_THRESHOLD).blend(grey_of("linear"), map_on_film(0, "linear"))
    viewer.press("k")
    coloured = np.abs(viewer.film().astype(int) - expected)
    assert (coloured.max(axis=2) <= 1).mean() > 0.9995

    viewer.press("o", "i", "t")
    inverted = 255 - grey_of("linear")
    assert np.array_equal(viewer.film()[:, :, 0], np.rot90(inverted, -1))
    viewer.press("f")
    assert np.array_equal(viewer.film()[:, :, 0], np.fliplr(np.rot90(inverted, -1)))
    viewer.press("T", "i")
    # What is seen turns to the left, under the mirror too.
    seen = np.fliplr(np.rot90(grey_of("linear"), -1))
    assert np.array_equal(viewer.film()[:, :, 0], np.rot90(seen))

    viewer.press("f", "t", "t", "o", "y")
    film_side, map_side = (viewer.film(pane) for pane in (0, 1))
    assert np.array_equal(film_side[:, :, 0], grey_of("linear"))
    assert (np.abs(map_side.astype(int) - expected).max(axis=2) <= 1).mean() > 0.9995


def test_both_renderers_show_a_reduced_film_alike(look):
    seen = []
    for renderer in ("webgl", "canvas"):
        (viewer,) = look("large", renderer=renderer, overlay="1", contour="1")
        seen.append(viewer.picture().astype(int))
    difference = np.abs(seen[0] - seen[1])
    assert (difference.max(axis=2) <= 2).mean() > 0.999
    assert seen[0].std() > 20


def test_letters_follow_the_film_and_zoom_stays_at_the_pointer(look):
    (viewer,) = look("linear")
    assert viewer.letters() == {"left": "R", "right": "L", "top": "H", "bottom": "F"}
    viewer.press("t")
    assert viewer.letters() == {"top": "R", "bottom": "L", "right": "H", "left": "F"}
    viewer.press("f")
    assert viewer.letters() == {"top": "R", "bottom": "L", "left": "H", "right": "F"}
    viewer.press("f", "T")
    # Whole pixels of the screen, since a wheel tells no others.
    place = tuple(map(round, viewer.on_screen(60.5, 200.5)))
    viewer.page.mouse.move(*place)
    words = viewer.words("cursor")
    assert words.startswith("x 60, y 200 · value " + str(int(films.film("linear").pixels[200, 60])))
    point, zoom = viewer.on_film(*place), viewer.matrix()[0, 0]
    viewer.page.mouse.wheel(0, -400)
    viewer.settle()
    assert viewer.matrix()[0, 0] == pytest.approx(zoom * np.exp(0.8), rel=1e-3)
    assert viewer.on_screen(*point) == pytest.approx(place, abs=0.05)
    viewer.drag((60, 200), (100, 180))
    assert viewer.on_screen(*point) == pytest.approx(
        np.add(place, viewer.matrix()[0, 0] * np.array([40, -20])), abs=0.6
    )
    viewer.press("0")
    assert viewer.matrix()[0, 0] == pytest.approx(zoom)


def test_contour_boxes_and_values_lie_where_the_map_says(look):
    for viewer, name in zip(
        look("linear", "part", overlay="1", contour="1", boxes="1"), ("linear", "part"), strict=True
    ):
        film = films.film(name)
        values = map_on_film(0, name)
        path = viewer.root.locator(".line.contour").get_attribute("d") or ""
        points = np.array([list(map(float, pair.split())) for pair in re.findall(r"[ML]([-\d.]+ [-\d.]+)", path)])
        assert len(points) > 20
        # Points on the edge of what the model saw close the outline; the others lie on the threshold.
        inner = [(x, y) for x, y in points if 26 < x < 214 and 28 < y < 244]
        read = [values[int(y - 0.5) : int(y - 0.5) + 2, int(x - 0.5) : int(x - 0.5) + 2].mean() for x, y in inner]
        slope = max(np.abs(np.diff(values, axis=0)).max(), np.abs(np.diff(values, axis=1)).max())
        assert np.abs(np.array(read) - MAP_THRESHOLD).max() < 2 * slope

        (region,) = films.regions(films.map_values(1), film.grid)
        corners = re.findall(r"-?[\d.]+", viewer.root.locator(".line.boxes").get_attribute("d") or "")
        assert list(map(float, corners[:4])) == pytest.approx(
            [region.box.x, region.box.y, region.box.width, region.box.height]
        )

        viewer.root.scroll_into_view_if_needed()
        viewer.page.mouse.move(*viewer.on_screen(region.peak.x + 0.2, region.peak.y + 0.2))
        found = re.search(r"evidence ([+−][\d.]+)", viewer.words("cursor"))
        assert found
        assert float(found[1].replace("−", "-")) == pytest.approx(
            values[int(region.peak.y), int(region.peak.x)], abs=0.05
        )
    save(viewer, "part")


def test_what_is_not_known_is_not_shown(look):
    (viewer,) = look("unknown", overlay="1", contour="1")
    assert viewer.letters() == {}
    assert "no logit units" in viewer.words("scale").lower()
    viewer.page.mouse.move(*viewer.on_screen(100, 100))
    assert "(no logit units)" in viewer.words("cursor")
    viewer.press("u", "z")
    viewer.drag((10, 10), (40, 50))
    assert viewer.words("ruler") == "50 pixels"
    assert viewer.root.get_by_role("button", name="Zones").is_disabled()
