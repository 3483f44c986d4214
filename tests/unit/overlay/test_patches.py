"""Sheets of patches."""

from __future__ import annotations

import numpy as np
import pytest

from medcam.core.errors import InvalidValueError
from medcam.overlay.patches import GAP, SIDE, TITLE, WORDS, PatchRow, patch_sheet


def test_patches_stand_in_their_rows() -> None:
    white, grey = np.full((40, 40), 255, np.uint8), np.full((200, 200), 90, np.uint8)
    sheet = patch_sheet("Nodule", [PatchRow("unit 1", "adds", (white, grey)), PatchRow("unit 2", "adds", (grey,))])
    assert sheet.shape == (TITLE + 2 * (SIDE + GAP), GAP + WORDS + 2 * (SIDE + GAP), 3)
    left = GAP + WORDS
    assert (sheet[TITLE : TITLE + SIDE, left : left + SIDE] == 255).all()
    assert (sheet[TITLE : TITLE + SIDE, left + SIDE + GAP : left + 2 * SIDE + GAP] == 90).all()
    assert (sheet[TITLE + SIDE + GAP : TITLE + 2 * SIDE + GAP, left : left + SIDE] == 90).all()


def test_a_sheet_needs_a_row() -> None:
    with pytest.raises(InvalidValueError):
        patch_sheet("Nodule", [])
