"""Which models somebody who hands files in may choose from."""

from __future__ import annotations

from medcam.models.known import model_names
from medcam.service.annotate.options import AnnotateOptions


def models_to_choose() -> tuple[str, ...]:
    """Names of the models of this computer, the default first; no network is loaded."""
    default = AnnotateOptions().model
    return (default, *(name for name in model_names() if name != default))
