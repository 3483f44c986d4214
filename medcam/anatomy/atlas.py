"""The atlas: mean thoracic anatomy in a frame fixed by the lungs, as probability maps and a mean picture."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path

import numpy as np
from scipy import ndimage

from medcam.core.arrays import FloatArray, frozen_array
from medcam.core.errors import InvalidValueError, MedcamError
from medcam.core.zones import BODY_ZONES, LUNG_ZONES

SIDE = 128
"""Rows and columns of the atlas."""
LUNG_BOX = (28.0, 28.0, 100.0, 100.0)
"""Left, top, right, bottom of both lungs together in atlas pixels: the frame that every case is brought into."""
RIGHT_LUNG, LEFT_LUNG = LUNG_ZONES[:3], LUNG_ZONES[3:]
NAMES = (*BODY_ZONES, "body")


class AtlasError(MedcamError):
    """An atlas cannot be built or read."""

    default_code = "atlas"
    default_next_step = "Rebuild the atlas with `python -m medcam.service.measure.atlas`."


@dataclass(frozen=True, eq=False)
class Atlas:
    """Mean anatomy of many cases, the patient's right on the left side, head up.

    Args:
        picture: float32 [128, 128], mean brightness, 0 (dark) to 1 (dense).
        maps: float32 [128, 128] per name of `BODY_ZONES` and "body": how often a pixel belongs to it, 0 to 1.
        visible: float32 [128, 128], how often a pixel is taken for lung when a film is looked at: less than the lungs,
            whose edges are thin and whose inner parts lie behind hila and vessels.
        aspect: Mean height over width of the box around both lungs, in the films' own pixels.
        origin: What it was built from, in words, with the seed.
    """

    picture: FloatArray = field(repr=False)
    maps: Mapping[str, FloatArray] = field(repr=False)
    visible: FloatArray = field(repr=False)
    aspect: float
    origin: str

    def __post_init__(self) -> None:
        if set(self.maps) != set(NAMES):
            raise InvalidValueError(f"an atlas needs exactly the maps {', '.join(NAMES)}")
        object.__setattr__(self, "picture", _unit_map(self.picture, "atlas picture"))
        object.__setattr__(self, "visible", _unit_map(self.visible, "visible lungs"))
        object.__setattr__(self, "maps", {name: _unit_map(self.maps[name], name) for name in NAMES})
        if not self.aspect > 0:
            raise InvalidValueError("the lungs' aspect must be positive")

    @property
    def right_lung(self) -> FloatArray:
        """How often a pixel lies in the patient's right lung."""
        return self._sum(RIGHT_LUNG)

    @property
    def left_lung(self) -> FloatArray:
        """How often a pixel lies in the patient's left lung."""
        return self._sum(LEFT_LUNG)

    @property
    def lungs(self) -> FloatArray:
        """How often a pixel lies in either lung."""
        return self._sum(LUNG_ZONES)

    def organs(self) -> Mapping[str, FloatArray]:
        """Maps of "right-lung", "left-lung", "heart", "mediastinum" and "below-diaphragm".

        They are continued sideways beyond the atlas's body: a film's own body may be wider, and cuts them.
        """
        return self._continued

    @cached_property
    def _continued(self) -> dict[str, FloatArray]:
        body = self.maps["body"] > 0.5
        nearest = ndimage.distance_transform_edt(~body, return_distances=False, return_indices=True)
        whole = {"right-lung": self.right_lung, "left-lung": self.left_lung}
        whole |= {name: self.maps[name] for name in BODY_ZONES if name not in LUNG_ZONES}
        return {name: np.where(body, values, values[tuple(nearest)]) for name, values in whole.items()}

    def save(self, path: Path) -> None:
        """Writes the atlas as a compressed `.npz` of 8-bit maps (1/255 steps), without pickles."""
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            picture=_to_bytes(self.picture),
            maps=np.stack([_to_bytes(self.maps[name]) for name in NAMES]),
            visible=_to_bytes(self.visible),
            aspect=np.array(self.aspect),
            origin=np.array(self.origin),
        )
        path.write_bytes(buffer.getvalue())

    @classmethod
    def load(cls, path: Path | None = None) -> Atlas:
        """Reads an atlas.

        Args:
            path: The file; None for the one shipped with the package.

        Returns:
            The atlas.

        Raises:
            AtlasError: The file is missing or is no atlas.
        """
        try:
            content = path.read_bytes() if path else files(__package__).joinpath("atlas.npz").read_bytes()
            with np.load(io.BytesIO(content), allow_pickle=False) as archive:
                maps = archive["maps"].astype(np.float32) / 255.0
                picture = archive["picture"].astype(np.float32) / 255.0
                named = dict(zip(NAMES, maps, strict=True))
                visible = archive["visible"].astype(np.float32) / 255.0
                return cls(picture, named, visible, float(archive["aspect"]), str(archive["origin"]))
        except (OSError, EOFError, zipfile.BadZipFile, ValueError, KeyError, TypeError) as error:
            raise AtlasError(f"the atlas cannot be read: {error}") from error

    def _sum(self, names: tuple[str, ...]) -> FloatArray:
        total = np.sum([self.maps[name] for name in names], axis=0, dtype=np.float32)
        return np.minimum(total, np.float32(1.0))


@cache
def shipped_atlas() -> Atlas:
    """The atlas in the package, read once; it is immutable."""
    return Atlas.load()


def _unit_map(values: FloatArray, what: str) -> FloatArray:
    array = frozen_array(values, np.float32, 2, what)
    if array.shape != (SIDE, SIDE):
        raise InvalidValueError(f"{what} must be {SIDE} x {SIDE}, not {array.shape}")
    if not (array.min() >= 0.0 and array.max() <= 1.0):
        raise InvalidValueError(f"{what} must lie between 0 and 1")
    return array


def _to_bytes(values: FloatArray) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(np.rint(values * 255.0), dtype=np.uint8)
