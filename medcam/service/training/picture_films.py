"""Pictures of films (PNG, JPEG) as radiographs, to measure on films that nobody has as DICOM."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from medcam.core.display import DisplayWindow
from medcam.core.errors import InputError
from medcam.core.radiograph import Radiograph

SUFFIXES = (".jpg", ".jpeg", ".png")


def picture_paths(folder: Path) -> list[Path]:
    """Every picture under a folder, sorted."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)


def picture_films(folder: Path) -> Iterator[Radiograph]:
    """Every picture under a folder, taken as an upright film in which denser is brighter."""
    for path in picture_paths(folder):
        yield picture_film(path)


def picture_film(path: Path) -> Radiograph:
    """One picture, taken as an upright film in which denser is brighter.

    Raises:
        InputError: It cannot be read as a picture (code `undecodable`).
    """
    try:
        with Image.open(path) as picture:
            pixels = np.asarray(picture.convert("L"), dtype=np.float32)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{path.name} cannot be read as a grey image", code="undecodable") from error
    return Radiograph(pixels, DisplayWindow(center=128.0, width=256.0))
