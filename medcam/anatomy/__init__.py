"""Where lungs, heart and mediastinum lie on a film: an atlas laid on it by registration, with a quality figure."""

from medcam.anatomy.atlas import Atlas, AtlasError, shipped_atlas
from medcam.anatomy.build import build_atlas, with_sight
from medcam.anatomy.quality import MIN_QUALITY, UNLIKELY
from medcam.anatomy.zones import chest_likeness, find_zones

VERSION = "2"
"""Of what lays the atlas on a film. To be raised with every change that gives a film other zones, so that a replay can
say that it was another registration; records made before there was a number have none."""

__all__ = [
    "MIN_QUALITY",
    "UNLIKELY",
    "VERSION",
    "Atlas",
    "AtlasError",
    "build_atlas",
    "chest_likeness",
    "find_zones",
    "shipped_atlas",
    "with_sight",
]
