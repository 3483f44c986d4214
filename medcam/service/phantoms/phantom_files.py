"""Puts one phantom on disk: the DX image, its truth masks as PNG, and its record for `truth.json`."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from medcam.core.arrays import BoolArray
from medcam.core.codes import slug
from medcam.core.display import VoiFunction
from medcam.core.finding import ZonesSource
from medcam.core.geometry import Box
from medcam.core.radiograph import View
from medcam.core.zones import ZONES, Zones
from medcam.dicom import Codec, DxAttributes, save_dx
from medcam.phantom import Case, FindingTruth, Phantom
from medcam.service.phantoms.truth import ZONE_LABELS

TABLE_BITS = 16
_TO_16_BITS = 257
"""A VOI LUT of DX images has at least 10 bits per entry; 255 * 257 is the whole of 16."""
_COLOURS = {
    "outside-body": (0, 0, 0),
    "elsewhere-in-body": (90, 90, 90),
    "right-upper-lung": (158, 202, 225),
    "right-middle-lung": (66, 146, 198),
    "right-lower-lung": (8, 81, 156),
    "left-upper-lung": (161, 217, 155),
    "left-middle-lung": (65, 171, 93),
    "left-lower-lung": (0, 109, 44),
    "heart": (203, 24, 29),
    "mediastinum": (253, 141, 60),
    "below-diaphragm": (188, 128, 189),
}


def dx_attributes(phantom: Phantom, case: Case, codec: Codec) -> DxAttributes:
    """What the DX image of a phantom says about itself.

    UIDs follow from the stored pixels and their coding, so that two different films never share one.

    Args:
        phantom: The film.
        case: What it was drawn from.
        codec: How the pixels will be stored.
    """
    stored = phantom.stored
    table = None if stored.voi_table is None else stored.voi_table * np.uint16(_TO_16_BITS)
    window = None
    if stored.window_center is not None and stored.window_width is not None:
        window = (stored.window_center, stored.window_width)
    digest = hashlib.sha256(stored.pixels.tobytes()).hexdigest()
    return DxAttributes(
        seed=f"phantom/{case.seed}/{case.index}/{codec.value}/{digest}",
        patient_id=f"PHANTOM-{case.seed}-{case.index:05d}",
        patient_name=f"PHANTOM^{case.index:05d}",
        sex=phantom.sex,
        age_years=phantom.age_years,
        view=View(phantom.view),
        bits_stored=phantom.bits_stored,
        inverse=phantom.photometric == "MONOCHROME1",
        spacing_mm=(phantom.pixel_spacing, phantom.pixel_spacing),
        window=window,
        window_function=VoiFunction(stored.voi_function) if stored.voi_function else VoiFunction.LINEAR,
        voi_table=table,
        voi_table_bits=TABLE_BITS,
        codec=codec,
    )


def save_phantom(out: Path, phantom: Phantom, case: Case, codec: Codec, *, masks: bool = True) -> dict[str, Any]:
    """Writes `phantom-<index>.dcm` and, below `masks/`, what is true about it.

    Args:
        out: An existing folder.
        phantom: Rendered with truth.
        case: What it was drawn from.
        codec: How the pixels are stored.
        masks: Whether to write finding masks, zones and spine.

    Returns:
        The film's entry of `truth.json` with one more key, "sop_instance_uid"; see `medcam.service.phantoms.truth`.

    Raises:
        OSError: The disk refuses a mask.
        InputError: The disk refuses the DICOM file, or the codec its pixels (code `unwritable`).
    """
    name = f"phantom-{case.index:05d}"
    uid = save_dx(out / f"{name}.dcm", phantom.stored.pixels, dx_attributes(phantom, case, codec))
    folder = f"masks/{name}" if masks else None
    if folder:
        _save_anatomy(out / folder, phantom)
    size = phantom.linear.shape[0]
    return {
        "sop_instance_uid": uid,
        "file": f"{name}.dcm",
        "seed": case.seed,
        "index": case.index,
        "rows": size,
        "columns": size,
        "pixel_spacing_mm": round(phantom.pixel_spacing, 6),
        "view": phantom.view,
        "sex": phantom.sex,
        "age_years": phantom.age_years,
        "photometric_interpretation": phantom.photometric,
        "voi": case.acquisition.voi,
        "codec": codec.value,
        "findings": [_finding(out, folder, truth) for truth in phantom.truths],
        "distractors": [{"kind": placed.kind, "box": _box(placed.box)} for placed in phantom.distractors],
        "zones": f"{folder}/zones.png" if folder else None,
        "spine": f"{folder}/spine.png" if folder else None,
        "report": phantom.report,
    }


def _finding(out: Path, folder: str | None, truth: FindingTruth) -> dict[str, Any]:
    mask = f"{folder}/{slug(truth.name)}.png" if folder else None
    if mask:
        _write(out / mask, _bitmap(truth.mask))
    return {
        "name": truth.name,
        "box": _box(truth.box),
        "mask": mask,
        "difficulty": truth.difficulty,
        "contrast_to_noise": round(truth.contrast_to_noise, 4),
        "side": truth.side,
        "kind": truth.kind,
        "parameters": {key: round(value, 4) for key, value in truth.parameters.items()},
    }


def _save_anatomy(folder: Path, phantom: Phantom) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    zones = Zones.from_anatomy(phantom.zones, source=ZonesSource.PHANTOM, quality=1.0)
    labels = np.zeros(phantom.linear.shape, dtype=np.uint8)
    for name in ZONES:
        labels[zones.masks[name]] = ZONE_LABELS[name]
    picture = Image.fromarray(labels)
    picture.putpalette([value for name in ZONE_LABELS for value in _COLOURS[name]])
    _write(folder / "zones.png", _png(picture))
    _write(folder / "spine.png", _bitmap(phantom.zones["spine"]))


def _bitmap(mask: BoolArray) -> bytes:
    return _png(Image.fromarray(np.where(mask, 255, 0).astype(np.uint8)).convert("1", dither=Image.Dither.NONE))


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return buffer.getvalue()


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_bytes(content)
    part.replace(path)


def _box(box: Box) -> dict[str, int]:
    return {"x": round(box.x), "y": round(box.y), "width": round(box.width), "height": round(box.height)}
