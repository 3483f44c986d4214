"""Which explanation of a film stands for it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from medcam.core.leading import leading_first


@dataclass(frozen=True)
class Said:
    model: str
    flagged: bool = False
    age: int = 0


A, B = Said("a"), Said("b")
A_WITHHELD, B_WITHHELD = Said("a", flagged=True), Said("b", flagged=True)
OLDER_A = Said("a", age=1)


@pytest.mark.parametrize(
    ("newest_first", "leading"),
    [
        ([A], A),
        ([A, B], A),
        ([A_WITHHELD, B], B),
        ([A_WITHHELD, B_WITHHELD], A_WITHHELD),
        # What a model said before it withheld its answer does not come back.
        ([A_WITHHELD, OLDER_A], A_WITHHELD),
        ([A_WITHHELD, OLDER_A, B], B),
    ],
)
def test_the_newest_that_is_not_withheld_leads(newest_first, leading):
    ordered = leading_first(newest_first)

    assert ordered[0] == leading
    assert [one for one in ordered if one != leading] == [one for one in newest_first if one != leading]


def test_nothing_said_has_no_leader():
    assert leading_first([]) == ()
