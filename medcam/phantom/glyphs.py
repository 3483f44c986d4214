"""Letters of 5 x 7 dots for markers and burned-in text."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_ROWS = {
    "A": "01110 10001 10001 11111 10001 10001 10001",
    "B": "11110 10001 10001 11110 10001 10001 11110",
    "C": "01111 10000 10000 10000 10000 10000 01111",
    "E": "11111 10000 10000 11110 10000 10000 11111",
    "H": "10001 10001 10001 11111 10001 10001 10001",
    "I": "11111 00100 00100 00100 00100 00100 11111",
    "L": "10000 10000 10000 10000 10000 10000 11111",
    "N": "10001 11001 10101 10101 10011 10001 10001",
    "O": "01110 10001 10001 10001 10001 10001 01110",
    "P": "11110 10001 10001 11110 10000 10000 10000",
    "R": "11110 10001 10001 11110 10100 10010 10001",
    "S": "01111 10000 10000 01110 00001 00001 11110",
    "T": "11111 00100 00100 00100 00100 00100 00100",
    "U": "10001 10001 10001 10001 10001 10001 01110",
    " ": "00000 00000 00000 00000 00000 00000 00000",
}


def text_mask(text: str, height: int) -> npt.NDArray[np.bool_]:
    """bool [height, width] of a line of capital letters, `height` pixels high (at least 7)."""
    columns = []
    for letter in text:
        rows = _ROWS[letter].split()
        dots = np.array([[dot == "1" for dot in row] for row in rows])
        columns.append(np.pad(dots, ((0, 0), (0, 1))))
    line = np.concatenate(columns, axis=1)
    height = max(7, height)
    scale = height / 7
    rows = np.minimum((np.arange(height) / scale).astype(int), 6)
    width = int(line.shape[1] * scale)
    picks = np.minimum((np.arange(width) / scale).astype(int), line.shape[1] - 1)
    return np.asarray(line[rows][:, picks])
