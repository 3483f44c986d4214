"""Run lengths against a naive walk over pixels, and against pycocotools where it is installed."""

import numpy as np
import pytest

from medcam.evaluate.formats.errors import PlacesError
from medcam.evaluate.formats.runs import Runs, runs_of


def walked(mask: np.ndarray) -> list[int]:
    """Run lengths down the columns, one pixel at a time."""
    counts, value = [0], False
    for column in range(mask.shape[1]):
        for row in range(mask.shape[0]):
            if bool(mask[row, column]) != value:
                counts.append(0)
                value = not value
            counts[-1] += 1
    return counts


def masks():
    rng = np.random.default_rng(5)
    for side in (1, 2, 7, 30):
        for share in (0.0, 0.1, 0.6, 1.0):
            yield rng.random((side, side + 3)) < share
    yield np.kron(rng.random((9, 4)) < 0.4, np.ones((60, 70), dtype=bool))


@pytest.mark.parametrize("mask", list(masks()), ids=lambda mask: f"{mask.shape}-{mask.sum()}")
def test_runs_are_what_a_walk_counts_and_come_back(mask):
    runs = Runs.of(mask)

    assert runs.counts.tolist() == walked(mask)
    assert runs.area == mask.sum()
    assert np.array_equal(runs.mask(), mask)
    assert np.array_equal(Runs.from_text(*mask.shape, runs.text()).mask(), mask)
    assert np.array_equal(Runs.from_siim(*mask.shape, runs.siim()).mask(), mask)


@pytest.mark.parametrize("mask", list(masks()), ids=lambda mask: f"{mask.shape}-{mask.sum()}")
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_compressed_strings_are_cocos(mask):
    coco = pytest.importorskip("pycocotools.mask")
    theirs = coco.encode(np.asfortranarray(mask.astype(np.uint8)))

    assert Runs.of(mask).text() == theirs["counts"].decode()
    assert np.array_equal(coco.decode({"size": list(mask.shape), "counts": Runs.of(mask).text()}), mask)


def test_a_known_mask_in_siims_form_counts_gaps_from_the_end_of_the_run_before():
    mask = Runs.from_siim(4, 3, "1 2 3 1").mask()

    assert np.argwhere(mask.T).tolist() == [[0, 1], [0, 2], [1, 2]]


@pytest.mark.parametrize(
    "item",
    [
        {"size": [4, 4], "counts": [3, 5]},
        {"size": [4, 4], "counts": [-1, 17]},
        {"size": [4, 4], "counts": [1.5, 14.5]},
        {"size": [4, 4], "counts": "\x10"},
        {"size": [4, 4], "counts": "oooooooooooooooo"},
        {"size": [4, 4], "counts": "P"},
        {"size": [10**9, 10**9], "counts": [10**18]},
        {"size": [0, 4], "counts": []},
        {"size": [4, 4]},
        [1, 2],
    ],
)
def test_broken_runs_are_refused(item):
    with pytest.raises(PlacesError):
        runs_of(item, "the item")


@pytest.mark.parametrize("text", ["1", "1 2 3", "a b", "-1 3", "10 20"])
def test_broken_pairs_of_siim_are_refused(text):
    with pytest.raises(PlacesError):
        Runs.from_siim(4, 4, text)
