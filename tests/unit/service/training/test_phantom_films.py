"""Phantoms rendered into films: labels, matched pairs, masks, and chunks that a killed run finds again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from same_process import SameProcess
from scipy.ndimage import binary_dilation
from skimage.measure import block_reduce

from medcam.core.errors import InvalidValueError
from medcam.models.training.films import Films
from medcam.phantom import FINDINGS, render, sample_case
from medcam.service.training import phantom_films as module
from medcam.service.training.phantom_films import GRADES, PhantomFilms, phantom_films

PLAN = PhantomFilms(seed=21, count=10, size=64, render_sizes=(64, 128), mask_size=64)


@pytest.fixture(scope="module", autouse=True)
def small_chunks() -> Iterator[None]:
    """Chunks of four patients, rendered in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "ProcessPoolExecutor", SameProcess)
        patch.setattr(module, "CHUNK", 4)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("films")


@pytest.fixture(scope="module")
def films(folder: Path) -> Films:
    """Films of PLAN, in three chunks."""
    return phantom_films(PLAN, folder, workers=1)


def same(one: Films, two: Films) -> bool:
    arrays = ("images", "labels", "patients", "partners", "masks", "grades")
    return one.names == two.names and all(np.array_equal(getattr(one, a), getattr(two, a)) for a in arrays)


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Indices of the patients that are rendered during a test."""
    seen: list[int] = []

    def count(case: Any, size: int, *, truth: bool) -> Any:
        seen.append(case.index)
        return render(case, size, truth=truth)

    monkeypatch.setattr(module, "render", count)
    return seen


def leaders(films: Films) -> np.ndarray:
    return np.flatnonzero(films.partners >= 0)


def test_every_patient_is_there_and_one_with_a_finding_comes_twice(films: Films) -> None:
    assert films.names == FINDINGS
    assert films.images.shape == (len(films), 64, 64)
    assert films.images.dtype == np.float16
    numbers, times = np.unique(films.patients, return_counts=True)
    assert len(numbers) == PLAN.count
    for index, count in enumerate(times):
        assert count == (2 if sample_case(PLAN.seed, index).findings else 1)
    assert np.abs(films.images.astype(np.float32).std(axis=(1, 2)) - 1.0).max() < 0.01


def test_labels_grades_and_masks_say_what_the_phantom_says(films: Films) -> None:
    assert films.masks is not None
    assert films.grades is not None
    first = np.flatnonzero(np.diff(films.patients, prepend=-1))
    for index, place in enumerate(first):
        phantom = render(sample_case(PLAN.seed, index), PLAN.render_sizes[index % 2])
        truths = {truth.name: truth for truth in phantom.truths}
        assert [name for name, label in zip(FINDINGS, films.labels[place], strict=True) if label] == [
            name for name in FINDINGS if name in truths
        ]
        for number, name in enumerate(FINDINGS):
            mask = films.masks[place, number]
            assert films.grades[place, number] == (GRADES[truths[name].difficulty] if name in truths else 0)
            assert mask.any() == (name in truths)
            if name in truths:
                true = truths[name].mask
                half = block_reduce(true, true.shape[0] // 64, np.mean) >= 0.5
                # Where no cell is half full, as of a thin line, every cell that is touched counts.
                wanted = half if half.any() else block_reduce(true, true.shape[0] // 64, np.max)
                np.testing.assert_array_equal(mask, wanted)


def test_a_pair_is_one_patient_without_one_finding(films: Films) -> None:
    found = leaders(films)
    assert len(found) >= 4
    assert not (films.partners[films.partners[found]] >= 0).any(), "a partner leads no other pair"
    for film in found:
        partner = films.partners[film]
        assert films.patients[film] == films.patients[partner]
        lost = films.labels[film].astype(int) - films.labels[partner]
        assert sorted(lost.tolist()) == [0] * (len(FINDINGS) - 1) + [1]


@pytest.mark.parametrize("name", ["Nodule", "Mass", "Support Devices"])
def test_a_pair_differs_only_where_the_finding_was(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    case = sample_case(5, 3, findings=[name])
    monkeypatch.setattr(module, "sample_case", lambda seed, index, prevalence: case)
    plan = PhantomFilms(seed=5, count=1, size=128, render_sizes=(128,), mask_size=128)
    films = phantom_films(plan, tmp_path, workers=1)
    assert films.labels[:, FINDINGS.index(name)].tolist() == [1, 0]
    assert films.partners.tolist() == [1, -1]
    assert films.masks is not None
    there, gone = films.images.astype(np.float64)
    inside = films.masks[0, FINDINGS.index(name)]
    far = ~binary_dilation(inside, iterations=10)
    assert far.mean() > 0.3
    # Each film is brought to unit variance by itself: apart from gain and offset the rest of the two is the same.
    gain, offset = np.polyfit(gone[far], there[far], 1)
    rest = np.abs(there - (gain * gone + offset))
    assert np.quantile(rest[far], 0.99) < 0.03
    assert rest[inside].mean() > 3 * rest[far].mean()


def test_a_plan_without_pairs_has_one_film_per_patient(tmp_path: Path, films: Films) -> None:
    alone = phantom_films(replace(PLAN, pairs=False, count=6), tmp_path, workers=1)
    assert len(alone) == 6
    assert (alone.partners == -1).all()
    first = np.flatnonzero(np.diff(films.patients, prepend=-1))[:6]
    np.testing.assert_array_equal(alone.images, films.images[first])


def test_prevalence_is_kept(tmp_path: Path) -> None:
    plan = replace(PLAN, pairs=False, count=4, render_sizes=(64,))
    assert not phantom_films(replace(plan, prevalence=0.0), tmp_path, workers=1).labels.any()
    assert phantom_films(replace(plan, prevalence=1.0), tmp_path, workers=1).labels.mean() > 0.9


def test_the_same_plan_gives_the_same_films(films: Films, tmp_path: Path) -> None:
    assert same(phantom_films(PLAN, tmp_path, workers=1), films)


def test_another_seed_gives_other_patients(films: Films, tmp_path: Path) -> None:
    other = phantom_films(replace(PLAN, seed=22, count=4), tmp_path, workers=1)
    assert not np.intersect1d(other.patients, films.patients).size
    assert not np.array_equal(other.images[0], films.images[0])


def test_nothing_is_rendered_twice(films: Films, folder: Path, rendered: list[int]) -> None:
    told: list[tuple[int, int]] = []
    again = phantom_films(PLAN, folder, workers=1, progress=lambda done, count: told.append((done, count)))
    assert same(again, films)
    assert rendered == []
    assert told == []


def test_a_killed_run_goes_on_where_it_was(
    films: Films, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rendered: list[int]
) -> None:
    counting = module.render

    def killed(case: Any, size: int, *, truth: bool) -> Any:
        if case.index == 5:
            raise KeyboardInterrupt
        return counting(case, size, truth=truth)

    monkeypatch.setattr(module, "render", killed)
    with pytest.raises(KeyboardInterrupt):
        phantom_films(PLAN, tmp_path, workers=1)
    assert set(rendered) == {0, 1, 2, 3, 4}
    rendered.clear()
    monkeypatch.setattr(module, "render", counting)
    told: list[tuple[int, int]] = []
    again = phantom_films(PLAN, tmp_path, workers=1, progress=lambda done, count: told.append((done, count)))
    assert same(again, films)
    assert set(rendered) == set(range(4, 10)), "the first chunk was whole, the second was not"
    assert told == [(8, 10), (10, 10)]


def test_a_chunk_written_by_halves_is_rendered_again(films: Films, tmp_path: Path, rendered: list[int]) -> None:
    phantom_films(PLAN, tmp_path, workers=1)
    (tmp_path / "chunk-000004" / "films.json").unlink()
    (tmp_path / "chunk-000004" / "images.npy").write_bytes(b"cut short")
    rendered.clear()
    assert same(phantom_films(PLAN, tmp_path, workers=1), films)
    assert set(rendered) == {4, 5, 6, 7}


@pytest.mark.parametrize("change", [{"mask_size": 0}, {"seed": 23}, {"size": 32}, {"pairs": False}, {"count": 5}])
def test_another_plan_throws_the_chunks_away(
    tmp_path: Path, films: Films, rendered: list[int], change: dict[str, Any]
) -> None:
    """What is left of the first plan must not show in the second."""
    before = PhantomFilms(seed=21, count=6, size=64, render_sizes=(64,), mask_size=64)
    phantom_films(before, tmp_path, workers=1)
    (tmp_path / "chunk-000004" / "films.json").unlink()  # the run was killed while it wrote
    rendered.clear()
    plan = replace(before, **change)
    after = phantom_films(plan, tmp_path, workers=1)
    assert set(rendered) == set(range(plan.count))
    assert len(np.unique(after.patients)) == plan.count
    assert after.images.shape[1:] == (plan.size, plan.size)
    if plan.mask_size:
        assert after.masks is not None
        assert after.masks.shape == (len(after), len(FINDINGS), 64, 64)
    else:
        assert after.masks is None
    assert json.loads((tmp_path / "plan.json").read_text())["seed"] == plan.seed
    after.split(0.5, 0)


@pytest.mark.parametrize(
    "change", [{"count": 0}, {"count": -3}, {"render_sizes": ()}, {"render_sizes": (96,)}, {"mask_size": 100}]
)
def test_a_plan_that_cannot_be_rendered_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError):
        replace(PLAN, **change)


def test_processes_give_what_one_process_gives(tmp_path: Path, films: Films, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ProcessPoolExecutor", ProcessPoolExecutor)
    parallel = phantom_films(replace(PLAN, count=4), tmp_path, workers=1)
    assert same(parallel, films.subset(np.flatnonzero(films.patients < PLAN.seed * 10_000_000 + 4)))
