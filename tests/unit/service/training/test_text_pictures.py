"""Pictures with and without print: the label says whether there is print, and nothing says where."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from medcam.core.card import RegionRuleKind
from medcam.core.errors import InvalidValueError
from medcam.models.registry import load_model
from medcam.models.training.films import Films
from medcam.service.find_text import FINDING, TextFinder
from medcam.service.training import text_pictures as module
from medcam.service.training.text_model import QUIET, TEXT_RECIPE, train_text_model
from medcam.service.training.text_pictures import TEXT, TextPictures, text_pictures
from medcam.service.training.text_print import UNSEEN_FONTS, _style, add_clutter, compressed, print_anything
from medcam.service.training.train import Provenance, TrainingSets

PLAN = TextPictures(seed=5, films=1, wholes=1, windows=2, side=64)


@pytest.fixture(autouse=True)
def _small_films(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FULL", 160)
    monkeypatch.setattr(module, "_WHOLE", 128)


def made(plan: TextPictures, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Films:
    """Pictures made in this process, whose film sizes are patched."""
    monkeypatch.setattr(module, "ProcessPoolExecutor", SameProcess)
    return text_pictures(plan, folder)


class SameProcess:
    """A pool that works where it is asked."""

    def __init__(self, *_: object, **__: object) -> None: ...

    def __enter__(self) -> SameProcess:
        return self

    def __exit__(self, *_: object) -> None: ...

    def map(self, work: object, jobs: list[object]) -> list[object]:
        return [work(job) for job in jobs]  # type: ignore[operator]


def test_half_of_the_pictures_have_print_and_none_has_a_mask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    films = made(PLAN, tmp_path, monkeypatch)
    assert (films.names, films.images.shape, films.masks) == ((TEXT,), (4, 64, 64), None)
    assert films.labels[:, 0].tolist() == [1, 0, 1, 0]
    assert len(set(films.patients.tolist())) == 2
    assert (films.partners == -1).all()


def test_finished_pictures_are_taken_again_and_those_of_another_plan_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = made(PLAN, tmp_path, monkeypatch)
    kept = (tmp_path / "chunk-000000" / "images.npy").stat().st_mtime_ns
    again = made(PLAN, tmp_path, monkeypatch)
    assert (tmp_path / "chunk-000000" / "images.npy").stat().st_mtime_ns == kept
    assert np.array_equal(first.images, again.images)
    other = made(replace(PLAN, seed=6), tmp_path, monkeypatch)
    assert not np.array_equal(first.images, other.images)


def test_a_plan_without_films_is_refused() -> None:
    for wrong in ({"films": 0}, {"wholes": 0}, {"windows": 1}, {"side": 32}):
        with pytest.raises(InvalidValueError):
            replace(PLAN, **wrong)


def test_print_changes_the_window_it_is_given_and_nothing_else() -> None:
    random = np.random.default_rng(1)
    for _ in range(60):
        film = np.full((300, 300), 0.5, np.float32)
        assert print_anything(film[50:250, 60:260], random)
        assert np.abs(film[50:250, 60:260] - 0.5).max() > 0.05
        film[50:250, 60:260] = 0.5
        assert (film == 0.5).all()


def test_clutter_and_codec_keep_the_range_and_the_shape() -> None:
    random = np.random.default_rng(2)
    changed = 0
    for _ in range(60):
        film = random.uniform(0.3, 0.6, (200, 200)).astype(np.float32)
        before = film.copy()
        add_clutter(film, random)
        changed += not np.array_equal(before, film)
        film = compressed(film, random)
        assert film.shape == (200, 200)
        assert film.dtype == np.float32
        assert film.min() > -0.01
        assert film.max() < 1.01
    assert 30 < changed < 60


def test_two_fonts_are_never_learnt() -> None:
    random = np.random.default_rng(3)
    fonts = {_style(random).font for _ in range(300)}
    assert len(fonts) > 4
    assert not fonts & set(UNSEEN_FONTS)


def test_the_threshold_comes_from_pictures_without_print(tmp_path: Path) -> None:
    """A toy: every picture with print has a bright square."""
    random = np.random.default_rng(0)

    def films(first: int, count: int) -> Films:
        labels = (np.arange(count) % 2).astype(np.int8)[:, None]
        images = random.normal(0, 0.3, (count, 64, 64))
        images[labels[:, 0] == 1, 20:36, 24:44] += 3.0
        return Films((TEXT,), images.astype(np.float16), labels, first + np.arange(count), np.full(count, -1))

    options = {"stride": 4, "neck": 8, "layers": [1, 1, 1, 1], "block_inplanes": [8, 8, 8, 8]}
    recipe = replace(TEXT_RECIPE, backbone_options=options, epochs=4, batch=8, learning_rate=5e-3, threads=1)
    sets = TrainingSets(films(0, 80), films(1000, 16), films(2000, 40))
    card = train_text_model("toy", sets, recipe, tmp_path, provenance=Provenance("toys", "CC0-1.0", "toys"))
    model = load_model(tmp_path)
    rule = card.findings[0].region_rule
    assert (model.card, card.finding_names, rule.kind) == (card, (FINDING,), RegionRuleKind.ABSOLUTE)
    assert card.input.intensity == "full"
    maps = model.predict(sets.calibration.images[:, None].astype(np.float32)).maps[:, 0]
    clean = maps[sets.calibration.labels[:, 0] == 0].max(axis=(1, 2))
    assert (clean >= rule.threshold).mean() == pytest.approx(1.0 - QUIET)
    assert TextFinder(model).threshold == rule.threshold
