"""Derived UIDs."""

from __future__ import annotations

import pytest
from pydicom.uid import UID

from medcam.dicom.uids import derived_uid, is_valid_uid


def test_derived_uids_keep_the_borders_of_their_parts() -> None:
    uids = {derived_uid("a", "bc"), derived_uid("ab", "c"), derived_uid("abc"), derived_uid("a", "bc", "")}
    assert len(uids) == 4
    assert all(is_valid_uid(uid) and UID(uid).is_valid for uid in uids)
    assert derived_uid("a") == derived_uid("a")


@pytest.mark.parametrize("uid", ["", "1.2.", ".1", "1..2", "01.2", "1.02", "1.2a", "1" * 65, "../../x"])
def test_invalid_uids(uid: str) -> None:
    assert not is_valid_uid(uid)
