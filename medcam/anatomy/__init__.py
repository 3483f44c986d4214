"""Where lungs, heart and mediastinum lie on a film: an atlas laid on it by registration, with a quality figure."""

from medcam.anatomy.atlas import Atlas, AtlasError, shipped_atlas
from medcam.anatomy.build import build_atlas, with_sight
from medcam.anatomy.quality import MIN_QUALITY
from medcam.anatomy.zones import find_zones

__all__ = ["MIN_QUALITY", "Atlas", "AtlasError", "build_atlas", "find_zones", "shipped_atlas", "with_sight"]
