"""medcam: why a chest X-ray classifier said what it said. Research use. Not a medical device.

    import medcam

    explanation = medcam.explain("film.dcm")
    explanation.finding("Pleural Effusion").regions
    explanation.overlay("Pleural Effusion")
    explanation.save("out")

Names are loaded when they are first used, so that `import medcam` stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from medcam.core.errors import MedcamError
    from medcam.core.explanation import Explanation
    from medcam.core.radiograph import Radiograph
    from medcam.dicom import load_radiograph
    from medcam.models.registry import load_model
    from medcam.models.surgery.gap_head import with_gap_head
    from medcam.models.without_maps import wrap_network
    from medcam.service.explain import explain
    from medcam.service.explanations.from_dicom import load_explanation
    from medcam.service.monai_reader import RadiographReader

    __version__: str

__all__ = [
    "Explanation",
    "MedcamError",
    "Radiograph",
    "RadiographReader",
    "__version__",
    "explain",
    "load_explanation",
    "load_model",
    "load_radiograph",
    "with_gap_head",
    "wrap_network",
]

_HOMES = {
    "Explanation": "medcam.core.explanation",
    "MedcamError": "medcam.core.errors",
    "Radiograph": "medcam.core.radiograph",
    "RadiographReader": "medcam.service.monai_reader",
    "__version__": "medcam.service.explanations.software",
    "explain": "medcam.service.explain",
    "load_explanation": "medcam.service.explanations.from_dicom",
    "load_model": "medcam.models.registry",
    "load_radiograph": "medcam.dicom",
    "with_gap_head": "medcam.models.surgery.gap_head",
    "wrap_network": "medcam.models.without_maps",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'medcam' has no attribute {name!r}")
    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
