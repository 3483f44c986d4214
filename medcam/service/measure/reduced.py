"""What a model makes of films whose JPEG 2000 was decoded at a lower resolution, beside the whole film.

    medcam phantom make --out films --count 24 --size 2048 --seed 3
    python -m medcam.service.measure.reduced --films films

JPEG 2000 (ISO/IEC 15444-1) can be decoded at 1/2, 1/4, 1/8 of its size at a fraction of the cost: what comes out is the
low-pass band of its wavelet transform. Each film's pixels are kept in 16 bits without loss, decoded at each size, and
prepared for the model like any film. Printed are the processor time of decoding and how far logits and maps are from
those of the whole film, measured like the error of an engine, with that budget beside it.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, Jpeg2KImagePlugin

from medcam.core.arrays import FloatArray
from medcam.core.errors import UsageError
from medcam.core.radiograph import Radiograph
from medcam.dicom import load_radiograph
from medcam.evaluate.localisation import mean_interval
from medcam.models.engines.budget import BUDGET, errors_between
from medcam.models.registry import load_model

REDUCTIONS = (0, 1, 2)
"""Powers of two by which sides are divided."""
_LEVELS = 65535.0


def measure_reduced(films: Sequence[Radiograph], model: str) -> dict[str, object]:
    """Decodes films at several sizes and asks a model about each.

    Args:
        films: Without padding, their sides multiples of four.
        model: Name or folder; runs in torch fp32.

    Returns:
        Plain values for JSON: films, the budget, and per reduction the milliseconds of decoding (mean, 95 % interval)
        and the largest errors.

    Raises:
        UsageError: There are fewer than two films, or one has padding or another size.
    """
    if len(films) < 2 or any(film.padding is not None or film.height % 4 or film.width % 4 for film in films):
        raise UsageError("at least two films without padding are needed, with sides that are multiples of four")
    classifier = load_model(model)
    coded = [_coded(film) for film in films]
    seconds: dict[int, list[float]] = {reduction: [] for reduction in REDUCTIONS}
    inputs: dict[int, list[FloatArray]] = {reduction: [] for reduction in REDUCTIONS}
    for film, (data, low, high) in zip(films, coded, strict=True):
        for reduction in REDUCTIONS:
            began = time.process_time()
            stored = _decoded(data, reduction)
            seconds[reduction].append(time.process_time() - began)
            pixels = (low + stored * ((high - low) / _LEVELS)).astype(np.float32)
            inputs[reduction].append(classifier.prepare(replace(film, pixels=pixels)).values)
    whole = classifier.predict(np.stack(inputs[0]))
    rows = {}
    for reduction in REDUCTIONS:
        errors = errors_between(whole, classifier.predict(np.stack(inputs[reduction])))
        cost = mean_interval(1e3 * np.array(seconds[reduction]))
        rows[f"1/{2**reduction}"] = {
            "decode_ms": [cost.value, cost.low, cost.high],
            "logit_error": errors.logit,
            "map_error": errors.map,
            "within_budget": errors.within(BUDGET),
        }
    return {"films": len(films), "budget": {"logit": BUDGET.logit, "map": BUDGET.map}, "sizes": rows}


def _coded(film: Radiograph) -> tuple[bytes, float, float]:
    """A film as lossless JPEG 2000 of 16 bits, and the values of its darkest and brightest level."""
    low, high = float(film.pixels.min()), float(film.pixels.max())
    levels = np.rint((film.pixels - low) * (_LEVELS / max(high - low, 1e-9))).astype(np.uint16)
    buffer = io.BytesIO()
    Image.fromarray(levels).save(buffer, "JPEG2000", irreversible=False, num_resolutions=6)
    return buffer.getvalue(), low, high


def _decoded(data: bytes, reduction: int) -> FloatArray:
    with Image.open(io.BytesIO(data)) as image:
        assert isinstance(image, Jpeg2KImagePlugin.Jpeg2KImageFile)
        image.reduce = reduction
        return np.asarray(image, dtype=np.float32)


def main() -> None:
    """Reads the command line and prints JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=Path, required=True)
    parser.add_argument("--model", default="phantom")
    given = parser.parse_args()
    films = [load_radiograph(path) for path in sorted(given.films.rglob("*.dcm"))]
    sys.stdout.write(json.dumps(measure_reduced(films, given.model), indent=1) + "\n")


if __name__ == "__main__":
    main()
