"""What it takes to write overlays as PNG: by this package's encoder, by others, and by DEFLATE at several levels.

    medcam phantom make --out films --count 8 --size 2048 --seed 79
    python -m medcam.service.measure.pngs --films films

Every way encodes the overlays of all findings of each film, in turns. Printed are the milliseconds of the processor of
a picture, the kilobytes of its file, and both as parts of those of the first way: means over films with their 95 %
interval.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
from PIL import Image

from medcam.core.arrays import ByteArray
from medcam.core.errors import UsageError
from medcam.core.protocols import Classifier
from medcam.core.radiograph import Radiograph
from medcam.dicom import load_radiograph
from medcam.evaluate.localisation import mean_interval
from medcam.models.registry import load_model
from medcam.overlay.film import Film
from medcam.overlay.png import encode_png, filtered
from medcam.service.annotate.pictures import PICTURE_SIDE, draw_overlays
from medcam.service.explain import explain_batch

Encode = Callable[[ByteArray], bytes]
FIRST = "OpenCV, level 2, filter up"
OURS = "medcam"


def ways() -> dict[str, Encode]:
    """Encoders by name, the one that others are held against first; those of ISA-L where it is installed."""
    found: dict[str, Encode] = {FIRST: _by_opencv, OURS: encode_png, "Pillow, level 1": _by_pillow}
    for level in (1, 2):
        found[f"zlib, level {level}, filter sub"] = _by_deflate(zlib, level)
    if find_spec("isal") is not None:
        for level in (0, 1, 2, 3):
            found[f"ISA-L, level {level}, filter sub"] = _by_deflate(import_module("isal.isal_zlib"), level)
    return found


def measure_pngs(
    films: Sequence[Radiograph], classifier: Classifier, encoders: Mapping[str, Encode]
) -> dict[str, object]:
    """Draws the overlays of all findings and encodes each in every way.

    Args:
        films: At least two.
        classifier: Whose findings are drawn.
        encoders: By name; the first is what others are held against.

    Returns:
        Plain values for JSON: films, pictures and per way the figures, each as mean and 95 % interval.

    Raises:
        UsageError: There are fewer than two films.
    """
    if len(films) < 2:
        raise UsageError("at least two films are needed")
    seconds: dict[str, list[float]] = {name: [] for name in encoders}
    sizes: dict[str, list[float]] = {name: [] for name in encoders}
    pictures = 0
    for film in films:
        drawn = _overlays(film, classifier)
        pictures += len(drawn)
        for name, (spent, size) in _encoded(drawn, encoders).items():
            seconds[name].append(spent / len(drawn))
            sizes[name].append(size / len(drawn))
    first = next(iter(encoders))
    rows = {
        name: {
            "ms": _figure(1e3 * np.array(seconds[name])),
            "kB": _figure(np.array(sizes[name]) / 1e3),
            "part of the time": _figure(np.array(seconds[name]) / np.array(seconds[first])),
            "part of the size": _figure(np.array(sizes[name]) / np.array(sizes[first])),
        }
        for name in encoders
    }
    return {"films": len(films), "pictures": pictures, "ways": rows}


def _encoded(pictures: Sequence[ByteArray], encoders: Mapping[str, Encode]) -> dict[str, tuple[float, int]]:
    """Seconds and bytes of all pictures by each encoder, in turns."""
    found = dict.fromkeys(encoders, (0.0, 0))
    for picture in pictures:
        for name, encode in encoders.items():
            began = time.process_time()
            size = len(encode(picture))
            found[name] = (found[name][0] + time.process_time() - began, found[name][1] + size)
    return found


def _overlays(radiograph: Radiograph, classifier: Classifier) -> list[ByteArray]:
    [explanation] = explain_batch([radiograph], classifier)
    film = Film.of(radiograph, PICTURE_SIDE)
    return list(draw_overlays(film, explanation, explanation.findings, classifier.card))


def _figure(values: np.ndarray) -> list[float]:
    mean = mean_interval(values)
    return [round(float(value), 4) for value in (mean.value, mean.low, mean.high)]


def _by_opencv(picture: ByteArray) -> bytes:
    options = (cv2.IMWRITE_PNG_COMPRESSION, 2, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP)
    return bytes(cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)[1].tobytes())


def _by_deflate(library: ModuleType, level: int) -> Encode:
    def encode(picture: ByteArray) -> bytes:
        return bytes(library.compress(filtered(picture), level))

    return encode


def _by_pillow(picture: ByteArray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def main() -> None:
    """Reads the command line and prints JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=Path, required=True)
    parser.add_argument("--model", default="phantom")
    given = parser.parse_args()
    films = [load_radiograph(path) for path in sorted(given.films.rglob("*.dcm"))]
    sys.stdout.write(json.dumps(measure_pngs(films, load_model(given.model), ways()), indent=1) + "\n")


if __name__ == "__main__":
    main()
