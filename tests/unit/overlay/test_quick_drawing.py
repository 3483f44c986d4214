"""The quick ways of drawing give the very pixels of the plain ones, which are written out here."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from medcam.core.arrays import ByteArray, FloatArray
from medcam.overlay.blend import FAINTEST, STRONGEST, Shading
from medcam.overlay.colour import LEVELS, positive_colours, signed_colours
from medcam.overlay.film import Film
from medcam.overlay.marks import draw_regions
from medcam.overlay.overlay import draw_overlay
from medcam.overlay.typeset import BACKGROUND, PANEL, TEXT, Column, font, text_mask

from .conftest import CARD, MODEL, NORMAL, MakeFilm, MakeFinding

INK = (236, 239, 242)


def _blended(shading: Shading, grey: ByteArray, values: FloatArray) -> ByteArray:
    """Pixel by pixel, with no table."""
    low = -shading.full_scale if shading.signed else 0.0
    share = (values - low) / (shading.full_scale - low)
    level = np.clip(np.rint(share * (LEVELS - 1)), 0, LEVELS - 1).astype(int)
    strength = np.abs(np.linspace(-1.0, 1.0, LEVELS)) if shading.signed else np.linspace(0.0, 1.0, LEVELS)
    rising = np.asarray(FAINTEST + (STRONGEST - FAINTEST) * np.sqrt(strength), np.float32)
    opacity = (rising * np.float32(shading.opacity / STRONGEST))[level][..., None]
    colours = (signed_colours() if shading.signed else positive_colours())[level]
    under = np.repeat(grey[..., None], 3, axis=2).astype(np.float32)
    mixed = np.rint(under + opacity * (colours - under)).astype(np.uint8)
    shown = (np.abs(values) if shading.signed else values) > shading.threshold
    return np.where(shown[..., None], mixed, under.astype(np.uint8))


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 1000),
    threshold=st.sampled_from((0.0, 0.5, 2.0, 50.0)),
    signed=st.booleans(),
    opacity=st.sampled_from((0.0, 0.31, STRONGEST, 1.0)),
)
def test_a_table_mixes_as_the_formula_does(seed: int, threshold: float, signed: bool, opacity: float) -> None:
    rng = np.random.default_rng(seed)
    # Taller than a strip, and not a multiple of it.
    grey = rng.integers(0, 256, (151, 40), dtype=np.uint8)
    values = rng.normal(0, 3, grey.shape).astype(np.float32)
    shading = Shading(4.0, threshold, signed, opacity)
    assert np.array_equal(shading.blend(grey, values), _blended(shading, grey, values))


def test_every_grey_under_every_colour() -> None:
    grey, level = (part.astype(np.uint8) for part in np.meshgrid(np.arange(256), np.arange(1, 256)))
    shading = Shading(255.0)
    values = level.astype(np.float32)
    assert np.array_equal(shading.blend(grey, values), _blended(shading, grey, values))


def test_a_film_that_is_a_view_of_another_is_coloured_too() -> None:
    grey = np.random.default_rng(1).integers(0, 256, (80, 90), dtype=np.uint8)
    values = np.linspace(-1, 3, 80 * 90, dtype=np.float32).reshape(80, 90)
    part = np.s_[::2, 5:60]
    assert np.array_equal(Shading(2.0).blend(grey[part], values[part]), Shading(2.0).blend(grey, values)[part])


@pytest.mark.parametrize("text", ["Evidence for", "+1.23", "jgy, (f)", "  x ", "", "Wy_|", "0.731"])
@pytest.mark.parametrize("anchor", ["la", "ra"])
@pytest.mark.parametrize(("x", "y"), [(40, 12), (-3, -4), (195, 25)])
def test_kept_words_are_painted_as_words_are_drawn(text: str, anchor: str, x: int, y: int) -> None:
    for size in (11, 15, 22, 37):
        drawn = Image.new("RGB", (200, 60), PANEL)
        painted = drawn.copy()
        ImageDraw.Draw(drawn).text((x, y), text, font=font(size), fill=INK, anchor=anchor)
        mask, right, down = text_mask(text, size, anchor)
        painted.paste(INK, (x + right, y + down), mask)
        assert np.array_equal(np.asarray(painted), np.asarray(drawn))


def test_a_column_that_grows_is_as_one_that_was_tall(monkeypatch: pytest.MonkeyPatch) -> None:
    def written() -> ByteArray:
        column = Column(220, 10, BACKGROUND)
        for _ in range(12):
            column.text("a few words that need more lines than one, since the column is narrow", 15)
            column.row("label", "value", 17)
            column.badge("PRESENT", 16, TEXT, filled=True)
            column.bar(0.7, 0.4, 8)
            column.rule()
            column.labels({0.0: "0", 0.37: "peak", 1.0: "1"}, 15)
            column.pointer(0.37, 7)
            column.picture(np.full((18, 50, 3), 200, np.uint8))
            column.beside(np.full((30, 40, 3), 90, np.uint8), "words beside it", 16)
            column.space(31)
        return column.finished()

    grown = written()
    monkeypatch.setattr("medcam.overlay.typeset._SHORTEST", 4096)
    assert grown.shape[0] > 2000
    assert np.array_equal(grown, written())


def test_halos_darken_as_the_formula_does(make_film: MakeFilm, make_finding: MakeFinding) -> None:
    radiograph = make_film(300, 240)
    film, regions = Film.of(radiograph, 512), make_finding(radiograph).regions
    halo = np.full((film.height, film.width, 3), 255, np.uint8)
    draw_regions(halo, film, regions, 2)
    dark = np.zeros_like(halo)
    draw_regions(dark, film, regions, 2)
    # Where nothing was drawn but the halo, white is grey and black stays black; a half is half of white, rounded.
    only = (dark == 0).all(axis=2) & (halo < 255).all(axis=2)
    assert only.sum() > 100
    half = np.full_like(halo, 128)
    draw_regions(half, film, regions, 2)
    assert np.abs(half[only].astype(int) - halo[only] * (128 / 255)).max() <= 0.51 + 128 / 510
    assert (halo[only].min(), halo[only].max()) == (102, 254)


def test_a_picture_does_not_depend_on_what_was_drawn_before(make_film: MakeFilm, make_finding: MakeFinding) -> None:
    radiograph = make_film()

    def drawn(height: float) -> ByteArray:
        finding = make_finding(radiograph, height)
        return draw_overlay(radiograph, finding, card=CARD, model=MODEL, ood=NORMAL, long_side=256)

    first = drawn(8.0)
    other = drawn(3.0)
    assert not np.array_equal(first, other)
    assert np.array_equal(drawn(8.0), first)
