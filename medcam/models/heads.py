"""Pooling heads by name: the package's own, those that are registered, and those of installed plug-ins."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

from medcam.core.errors import ModelError
from medcam.models.pooling import GapHead, GmpHead, LseHead, MapGmpHead, PcamHead
from medcam.models.pooling_head import PoolingHead

ENTRY_POINTS = "medcam.pooling_heads"

HeadBuilder = Callable[..., PoolingHead]
_REGISTRY: dict[str, HeadBuilder] = {
    "gap": GapHead,
    "gmp": GmpHead,
    "map-gmp": MapGmpHead,
    "lse": LseHead,
    "pcam": PcamHead,
}


def register_head(name: str) -> Callable[[HeadBuilder], HeadBuilder]:
    """Registers a head(channels, findings, **options) under a name."""

    def add(builder: HeadBuilder) -> HeadBuilder:
        _REGISTRY[name] = builder
        return builder

    return add


def head_names() -> tuple[str, ...]:
    """All registered names, those of installed plug-ins included."""
    return tuple(sorted({*_REGISTRY, *(entry.name for entry in entry_points(group=ENTRY_POINTS))}))


def build_head(name: str, channels: int, findings: int, *, nonnegative: bool = False, **options: Any) -> PoolingHead:
    """Builds a head.

    Args:
        name: See `head_names`.
        channels: Of the features.
        findings: How many.
        nonnegative: Class weights cannot be negative.
        options: The head's own, such as `r` of "lse".

    Raises:
        ModelError: The name is unknown (`unknown-head`), or the head does not take the options (`pooling-head`).
    """
    builder = _REGISTRY.get(name) or next(
        (entry.load() for entry in entry_points(group=ENTRY_POINTS) if entry.name == name), None
    )
    if builder is None:
        raise ModelError(
            f"no pooling head {name!r}", code="unknown-head", next_step=f"Known: {', '.join(head_names())}."
        )
    try:
        return builder(channels, findings, nonnegative=nonnegative, **options)
    except TypeError as error:
        given = ", ".join(sorted(options))
        raise ModelError(
            f"the pooling head {name!r} does not take the options given ({given or 'none'})",
            code="pooling-head",
            next_step="See docs/explanation/pooling-heads.md for the options of each head.",
        ) from error
