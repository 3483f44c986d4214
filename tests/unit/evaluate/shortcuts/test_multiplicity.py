import numpy as np
import pytest

from medcam.core.errors import InvalidValueError
from medcam.evaluate.shortcuts.multiplicity import benjamini_hochberg

PUBLISHED = (
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0
)  # fmt: skip
"""The fifteen p-values of the example of Benjamini and Hochberg (1995): at 5 % four are rejected."""


def test_the_published_example_rejects_its_first_four():
    q = benjamini_hochberg(PUBLISHED)

    assert [value <= 0.05 for value in q] == [True] * 4 + [False] * 11
    assert q[3] == pytest.approx(0.0095 * 15 / 4)


def test_tests_that_were_not_made_do_not_count():
    assert benjamini_hochberg([0.01, None, 0.02]) == [pytest.approx(0.02), None, pytest.approx(0.02)]
    assert benjamini_hochberg([None]) == [None]


def test_what_is_no_p_value_is_refused():
    with pytest.raises(InvalidValueError):
        benjamini_hochberg([0.5, 1.5])


def test_nulls_alone_are_told_in_five_per_cent_of_records():
    rng = np.random.default_rng(3)
    alarms = [min(benjamini_hochberg(rng.random(40).tolist())) <= 0.05 for _ in range(2000)]

    # 2000 records: two standard errors of 5 % are 1 %.
    assert 0.035 < np.mean(alarms) < 0.065
