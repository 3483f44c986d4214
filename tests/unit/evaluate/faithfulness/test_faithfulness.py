import numpy as np
import pytest

from medcam.core.errors import InvalidValueError
from medcam.evaluate.faithfulness.curves import SHARES, area_under, erased_cells, ranked
from medcam.evaluate.faithfulness.fill import blur_fill, mean_fill, noisy_linear_fill
from medcam.evaluate.faithfulness.linear import (
    infidelity,
    random_squares,
    random_subsets,
    scaled_infidelity,
    sensitivity_n,
)


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def drops_of(contributions, subsets):
    """What a linear model loses, written as loops."""
    return [sum(contributions[cell] for cell in zip(*np.nonzero(one), strict=True)) for one in subsets]


def test_gradient_times_input_of_a_linear_model_is_perfect(rng):
    weights, image = rng.normal(size=(6, 6)), rng.normal(size=(6, 6))
    scores = weights * image
    subsets, squares = random_subsets((6, 6), 5, 40, rng), random_squares((6, 6), 4, 40, rng)

    assert sensitivity_n(scores, subsets, drops_of(scores, subsets)) == pytest.approx(1.0)
    assert infidelity(scores, squares, drops_of(scores, squares)) == pytest.approx(0.0, abs=1e-20)
    assert scaled_infidelity(scores / 7.0, squares, drops_of(scores, squares)) == pytest.approx(0.0, abs=1e-12)


def test_maps_without_sense_are_no_better_than_zeros(rng):
    scores = rng.normal(size=(8, 8))
    subsets = random_subsets((8, 8), 6, 2000, rng)
    drops = drops_of(scores, subsets)

    assert abs(sensitivity_n(rng.normal(size=(8, 8)), subsets, drops)) < 0.4
    assert sensitivity_n(-scores, subsets, drops) == pytest.approx(-1.0)
    assert scaled_infidelity(-scores, subsets, drops) == 1.0, "a scale does not turn a map over"
    assert scaled_infidelity(np.zeros((8, 8)), subsets, drops) == 1.0
    assert sensitivity_n(np.ones((8, 8)), subsets, drops) == 0.0
    assert np.isnan(sensitivity_n(scores, subsets, np.ones(2000)))
    assert np.isnan(scaled_infidelity(scores, subsets, np.zeros(2000)))


def test_infidelity_is_in_squared_units_of_the_drop():
    subsets = np.array([[[True, False]], [[False, True]]])

    assert infidelity([[1.0, 2.0]], subsets, [0.0, 5.0]) == pytest.approx((1.0 + 9.0) / 2.0)


def test_subsets_have_their_size_and_squares_are_square(rng):
    assert (random_subsets((5, 4), 7, 30, rng).sum(axis=(1, 2)) == 7).all()
    for one in random_squares((5, 9), 3, 30, rng):
        rows, columns = np.nonzero(one)
        assert np.ptp(rows) == np.ptp(columns) <= 2
        assert one.sum() == (np.ptp(rows) + 1) ** 2
    with pytest.raises(InvalidValueError):
        random_subsets((2, 2), 5, 1, rng)
    with pytest.raises(InvalidValueError):
        sensitivity_n(np.ones((3, 3)), np.ones((2, 4, 4), dtype=bool), [0.0, 1.0])


def test_the_highest_cells_are_erased_first_and_ties_have_no_order():
    values = np.array([[0.0, 3.0], [1.0, 2.0]])

    assert ranked(values).tolist() == [1, 3, 2, 0]
    assert erased_cells(ranked(values), (2, 2), 0.5).tolist() == [[False, True], [False, True]]
    assert ranked(np.zeros((4, 4)), seed=1).tolist() != list(range(16))
    with pytest.raises(InvalidValueError):
        ranked(np.full((2, 2), np.nan))


def test_putting_back_the_top_is_erasing_the_rest():
    order = ranked(np.random.default_rng(0).normal(size=(10, 10)))

    assert np.allclose(np.add(SHARES, SHARES[::-1]), 1.0), "the shares lie evenly about 1/2"
    for share in SHARES:
        kept = erased_cells(order, (10, 10), share)
        assert (erased_cells(order[::-1], (10, 10), 1.0 - share) == ~kept).all()


def test_areas_are_those_of_known_curves():
    assert area_under(SHARES, np.ones(len(SHARES))) == pytest.approx(1.0)
    assert area_under(SHARES, 1.0 - np.array(SHARES)) == pytest.approx(0.5)
    assert area_under([0.0, 0.2, 1.0], [1.0, 0.0, 0.0]) == pytest.approx(0.1)
    for shares in ([0.0, 0.5], [0.0, 0.5, 0.5, 1.0]):
        with pytest.raises(InvalidValueError):
            area_under(shares, np.ones(len(shares)))


def test_a_plane_is_imputed_exactly_inside():
    """Each pixel of a plane is the weighted mean of its neighbours: the equations hold with no error."""
    plane = np.add.outer(np.arange(20.0), 2.0 * np.arange(20.0)).astype(np.float32)
    mask = np.zeros((20, 20), dtype=bool)
    mask[5:12, 4:15] = True

    filled = noisy_linear_fill(plane, mask, noise=0.0)

    assert np.abs(filled - plane).max() < 0.02
    assert (filled[~mask] == plane[~mask]).all()
    noisy = noisy_linear_fill(plane, mask, noise=0.1)[mask] - filled[mask]
    assert noisy.std() == pytest.approx(0.1 * plane.std(), rel=0.25)


def test_imputation_solves_the_equations_that_a_dense_solver_does(rng):
    image = rng.normal(size=(9, 9)).astype(np.float32)
    mask = rng.random((9, 9)) < 0.6
    cells = list(zip(*np.nonzero(mask), strict=True))
    matrix, right = np.zeros((len(cells), len(cells))), np.zeros(len(cells))
    for place, (y, x) in enumerate(cells):
        for down in (-1, 0, 1):
            for along in (-1, 0, 1):
                there = (y + down, x + along)
                if (down, along) == (0, 0) or not (0 <= there[0] < 9 and 0 <= there[1] < 9):
                    continue
                weight = 1 / 12 if down and along else 1 / 6
                matrix[place, place] += weight
                if mask[there]:
                    matrix[place, cells.index(there)] -= weight
                else:
                    right[place] += weight * image[there]

    filled = noisy_linear_fill(image, mask, noise=0.0)

    assert np.abs(filled[mask] - np.linalg.solve(matrix, right)).max() < 0.01


def test_other_fills(rng):
    image = rng.normal(size=(30, 30)).astype(np.float32)

    assert (mean_fill(image) == image.mean()).all()
    assert blur_fill(image).std() < 0.3 * image.std()
    with pytest.raises(InvalidValueError):
        noisy_linear_fill(image, np.ones((30, 30), dtype=bool))
    assert (noisy_linear_fill(image, np.zeros((30, 30), dtype=bool)) == image).all()
