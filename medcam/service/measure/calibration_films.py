"""Makes the films that engines are checked on.

python -m medcam.service.measure.calibration_films FILE
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

from medcam.phantom import FINDINGS, render, sample_case

SEED, SIDE = 61, 320
PRESENT: tuple[tuple[str, ...], ...] = ((), *((name,) for name in FINDINGS[:6]), tuple(FINDINGS))
"""What each film shows: nothing, one finding, all of them."""


def calibration_film(index: int) -> npt.NDArray[np.uint8]:
    """A phantom [SIDE, SIDE], 8 bits, denser is brighter.

    Args:
        index: Into `PRESENT`.
    """
    phantom = render(sample_case(SEED, index, findings=PRESENT[index]), SIDE, truth=False)
    values = phantom.stored.pixels.astype(np.float64)
    if phantom.photometric == "MONOCHROME1":
        values = values.max() - values
    low, high = np.percentile(values, (0.02, 99.98))
    return np.asarray(np.clip((values - low) / (high - low) * 255.0, 0.0, 255.0).round(), dtype=np.uint8)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    np.savez_compressed(
        parser.parse_args().file, films=np.stack([calibration_film(index) for index in range(len(PRESENT))])
    )


if __name__ == "__main__":
    main()
