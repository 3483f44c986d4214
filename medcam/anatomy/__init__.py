"""Where lungs, heart and mediastinum lie on a film: an atlas laid on it by registration, with a quality figure."""

from medcam.anatomy.atlas import Atlas, AtlasError, shipped_atlas
from medcam.anatomy.build import build_atlas, with_sight
from medcam.anatomy.quality import MIN_QUALITY, UNLIKELY
from medcam.anatomy.zones import chest_likeness, find_zones

__all__ = [
    "MIN_QUALITY",
    "UNLIKELY",
    "Atlas",
    "AtlasError",
    "build_atlas",
    "chest_likeness",
    "find_zones",
    "shipped_atlas",
    "with_sight",
]
