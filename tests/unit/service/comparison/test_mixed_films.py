"""Boxes on a share of the findings: which, and what becomes of their masks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from medcam.core.errors import UsageError
from medcam.models.training.films import Films
from medcam.service.comparison.films import ComparisonPlan
from medcam.service.comparison.mixed import boxed, compare_mixed


def outlined_films() -> Films:
    """Ten films; on every other one a disc, on the first one two."""
    masks = np.zeros((10, 1, 32, 32), dtype=np.bool_)
    rows, columns = np.mgrid[:32, :32]
    for film in range(0, 10, 2):
        masks[film, 0] = (rows - 10) ** 2 + (columns - 8) ** 2 <= 16
    masks[0, 0] |= (rows - 24) ** 2 + (columns - 24) ** 2 <= 9
    labels = masks.any(axis=(2, 3)).astype(np.int8)
    return Films(("Disc",), np.zeros((10, 32, 32), np.float16), labels, np.arange(10), np.full(10, -1), masks)


def test_a_mask_becomes_the_tightest_box_around_each_of_its_parts() -> None:
    masks = boxed(outlined_films(), 1.0).masks
    assert masks is not None
    expected = np.zeros((32, 32), dtype=np.bool_)
    expected[6:15, 4:13] = True
    assert np.array_equal(masks[2, 0], expected)
    expected[21:28, 21:28] = True
    assert np.array_equal(masks[0, 0], expected)
    assert not masks[1::2].any()


def test_larger_shares_keep_the_boxes_of_smaller_ones() -> None:
    films = outlined_films()
    some, more = boxed(films, 0.4).masks, boxed(films, 0.8).masks
    assert some is not None
    assert more is not None
    has, holds = some.any(axis=(1, 2, 3)), more.any(axis=(1, 2, 3))
    assert (has.sum(), holds.sum()) == (2, 4)
    assert holds[has].all()


def test_labels_alone_have_no_masks() -> None:
    assert boxed(outlined_films(), 0.0).masks is None
    with pytest.raises(UsageError):
        boxed(replace(outlined_films(), masks=None), 0.5)


@pytest.mark.parametrize("share", [0.0, 1.5])
def test_a_share_that_is_none_is_refused(share: float, tmp_path: object) -> None:
    with pytest.raises(UsageError):
        compare_mixed(ComparisonPlan(patients=4, held=4, side=64), (share,), tmp_path)  # type: ignore[arg-type]
