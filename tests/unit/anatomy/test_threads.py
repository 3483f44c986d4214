"""Films whose anatomy is found side by side get the zones that they get alone."""

from __future__ import annotations

import threading

import numpy as np

from medcam.anatomy import find_zones
from medcam.core.display import DisplayWindow
from medcam.core.radiograph import Radiograph
from medcam.core.zones import ZONES, Zones
from medcam.phantom import render, sample_case

FILMS, THREADS, ROUNDS = 3, 3, 3


def masks(zones: Zones) -> bytes:
    return b"".join(np.packbits(zones.masks[name]).tobytes() for name in ZONES)


def test_zones_do_not_depend_on_what_runs_beside_them() -> None:
    """ITK's L-BFGS-B is not reentrant: without a lock one film in six came out otherwise, and memory was corrupted."""
    films = [Radiograph(render(sample_case(8, index), 256).linear * 4095, DisplayWindow()) for index in range(FILMS)]
    alone = [masks(find_zones(film)) for film in films]
    together: list[bool] = []

    def find_all() -> None:
        for _ in range(ROUNDS):
            together.extend(masks(find_zones(film)) == wanted for film, wanted in zip(films, alone, strict=True))

    threads = [threading.Thread(target=find_all) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(together) == FILMS * THREADS * ROUNDS
    assert all(together)
