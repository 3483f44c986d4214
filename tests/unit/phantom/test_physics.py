"""The beam, the detector and the vendor's processing against what can be worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medcam.phantom import Acquisition, sample_case
from medcam.phantom.grid import Grid
from medcam.phantom.physics import MU_LUNG, MU_SOFT, detector_signal, primary, resize_to, smooth
from medcam.phantom.processing import Levels, find_levels, look_up, store
from medcam.phantom.thorax import build_thorax
from medcam.phantom.tubes import add_tube

GRID = Grid(100, 100.0)


@pytest.fixture
def ideal() -> Acquisition:
    """No scatter, hardly any blur, hardly any noise."""
    taken = sample_case(0, 0).acquisition
    return replace(taken, scatter=0.0, unsharpness=1e-3, photons=1e9, gamma=1.0, bits_stored=12)


def test_without_scatter_the_signal_is_the_line_integral(ideal: Acquisition) -> None:
    water = np.full((100, 100), MU_SOFT * 200, dtype=np.float32)
    assert detector_signal(GRID, water, ideal, noise=False) == pytest.approx(3.7, abs=1e-3)


def test_noise_has_the_variance_of_counted_photons(ideal: Acquisition) -> None:
    water = np.full((100, 100), MU_SOFT * 200, dtype=np.float32)
    signal = detector_signal(GRID, water, replace(ideal, photons=2500.0))
    # One square mm per pixel: 2500 photons, so the logarithm varies by 1 / sqrt(2500).
    assert float(signal.std()) == pytest.approx(0.02, rel=0.05)
    assert float(signal.mean()) == pytest.approx(3.7, abs=0.002)


def test_noise_is_that_of_the_seed(ideal: Acquisition) -> None:
    water = np.full((100, 100), 3.0, dtype=np.float32)
    noisy = replace(ideal, photons=2500.0)
    first, again = (detector_signal(GRID, water, noisy) for _ in range(2))
    other = detector_signal(GRID, water, replace(noisy, seed=noisy.seed + 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_scatter_takes_contrast(ideal: Acquisition) -> None:
    step = np.full((100, 100), 3.0, dtype=np.float32)
    step[:, 50:] = 4.0
    contrasts = [
        float(np.ptp(detector_signal(GRID, step, replace(ideal, scatter=scatter), noise=False)[50, [40, 59]]))
        for scatter in (0.0, 0.5)
    ]
    assert contrasts[0] == pytest.approx(1.0, abs=1e-3)
    assert contrasts[1] < 0.99 * contrasts[0]


@pytest.mark.parametrize("radius", [0.2, 2.0, 10.0])
def test_a_tube_keeps_its_mass_even_where_it_is_thinner_than_a_pixel(radius: float) -> None:
    image = GRID.zeros()
    add_tube(GRID, image, [(-60.0, 50.3), (60.0, 50.3)], [radius, radius])
    cross_section = float(image.sum(axis=0).mean()) * GRID.pitch
    assert cross_section == pytest.approx(np.pi * radius**2, rel=0.2)


def test_a_tube_is_as_thick_as_its_diameter() -> None:
    image = GRID.zeros()
    add_tube(GRID, image, [(-60.0, 50.5), (60.0, 50.5)], [10.0, 10.0], strength=0.5)
    assert image[50, 50] == pytest.approx(10.0, rel=0.01)
    assert not image[:38].any()


def test_a_tube_beside_the_film_leaves_it_alone() -> None:
    image = GRID.zeros()
    add_tube(GRID, image, [(200.0, 20.0), (220.0, 20.0)], [3.0, 3.0])
    assert not image.any()


@pytest.mark.parametrize("millimetres", [1.0, 18.0])
def test_blur_keeps_a_constant_and_the_mean(millimetres: float) -> None:
    rng = np.random.default_rng(0)
    noise = rng.random((100, 100), dtype=np.float32)
    assert smooth(GRID, np.full((100, 100), 2.5, dtype=np.float32), millimetres) == pytest.approx(2.5, rel=1e-5)
    blurred = smooth(GRID, noise, millimetres)
    assert float(blurred.mean()) == pytest.approx(float(noise.mean()), rel=0.02)
    assert blurred.std() < 0.5 * noise.std()


def test_resampling_keeps_a_ramp() -> None:
    ramp = np.broadcast_to((np.arange(10) + 0.5) / 10, (10, 10)).astype(np.float32)
    finer = resize_to(ramp, 40)
    assert finer[20, 4:-4] == pytest.approx(((np.arange(40) + 0.5) / 40)[4:-4], abs=1e-5)
    assert resize_to(ramp, 10) is ramp


def test_levels_map_the_patient_into_the_headroom(ideal: Acquisition) -> None:
    signal = np.linspace(1.0, 5.0, 10000, dtype=np.float32).reshape(100, 100)
    levels = find_levels(signal)
    shown = look_up(signal, levels, ideal)
    assert np.all(np.diff(shown.ravel()) >= 0)
    assert shown.min() == 0.0
    assert 0.8 < shown.max() <= 1.0
    assert look_up(np.full((2, 2), 99.0, dtype=np.float32), Levels(0.0, 1.0), ideal) == pytest.approx(1.0)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("voi", ["window", "narrow", "sigmoid", "table"])
@pytest.mark.parametrize("bits", [10, 14])
def test_a_file_says_how_to_show_itself(ideal: Acquisition, photometric: str, voi: str, bits: int) -> None:
    ramp = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    stored = store(ramp, replace(ideal, photometric=photometric, voi=voi, bits_stored=bits))
    top = 2**bits - 1
    ends = (int(stored.pixels[0, 0]), int(stored.pixels[-1, -1]))
    assert ends == ((top, 0) if photometric == "MONOCHROME1" else (0, top))
    assert (stored.voi_table is None) == (voi != "table")
    if stored.voi_table is not None:
        assert stored.voi_table.size == top + 1
        assert (stored.voi_table[0], stored.voi_table[-1]) == (0, 255)
        assert np.all(np.diff(stored.voi_table.astype(int)) >= 0)
    else:
        assert stored.voi_function == ("SIGMOID" if voi == "sigmoid" else "LINEAR")
        assert 0.4 * top < stored.window_center < 0.6 * top
        assert 0.8 * top < stored.window_width <= top + 1


def test_more_tissue_in_the_way_never_lets_more_of_the_beam_through() -> None:
    patient = sample_case(2, 3, prevalence=0.0).patient
    thorax = build_thorax(Grid(96, 460.0), patient, heart_ratio=0.44, raised={}, detail=False)
    before, lung = thorax.attenuation(), thorax.lung_path > 40
    thorax.opacity += np.where(lung, 20.0, 0.0)
    denser = thorax.attenuation()
    # 20 mm of lung became soft tissue.
    assert (denser - before)[lung] == pytest.approx(20 * (MU_SOFT - MU_LUNG), rel=1e-3)
    assert (primary(denser) <= primary(before)).all()
    thorax.opacity -= np.where(lung, 20.0, 0.0)
    thorax.free_air += np.where(lung, 20.0, 0.0)
    assert (thorax.attenuation()[lung] < before[lung]).all()
