"""Everything one model says about one radiograph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from medcam.core.arrays import FloatArray, frozen_array
from medcam.core.codes import slug
from medcam.core.errors import UsageError
from medcam.core.finding import Finding
from medcam.core.radiograph import Identity

SCHEMA_VERSION = "1.2"
RESEARCH_USE = "Research use. Not a medical device."
"""Said wherever a result is shown."""


@dataclass(frozen=True, slots=True)
class Source:
    """The radiograph an explanation belongs to."""

    identity: Identity
    rows: int
    columns: int
    sha256: str
    view: str = "unknown"


@dataclass(frozen=True, slots=True)
class ModelReference:
    """The model that spoke."""

    name: str
    version: str
    weights_sha256: str


@dataclass(frozen=True, slots=True)
class Engine:
    """What computed the maps. `max_logit_error` is the largest difference to fp32 torch seen on a calibration batch."""

    name: str = "torch"
    precision: str = "fp32"
    max_logit_error: float = 0.0


@dataclass(frozen=True, slots=True)
class OutOfDistribution:
    """How strange the input is to the model. `score` and `threshold` are None when the model has no gate."""

    score: float | None
    threshold: float | None
    flagged: bool


@dataclass(frozen=True, eq=False)
class Explanation:
    """Findings of one radiograph by one model, with all that is needed to recompute them.

    A map highlights; it never proves. Research use, not a medical device.

    Args:
        source: The radiograph.
        model: Who spoke.
        engine: What computed the maps.
        method: Attribution method.
        findings: One per finding of the model, in its order.
        out_of_distribution: How strange the film is to the model.
        warnings: What a reader must know.
        software: Versions by name of package.
        created: When.
        features: float32 [k], the network's pooled features that the out-of-distribution score judges, for tests of
            drift; None where the record holds none.
    """

    source: Source
    model: ModelReference
    engine: Engine
    method: str
    findings: tuple[Finding, ...]
    out_of_distribution: OutOfDistribution
    warnings: tuple[str, ...] = ()
    software: Mapping[str, str] = field(default_factory=dict)
    created: datetime | None = None
    features: FloatArray | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.features is not None:
            object.__setattr__(self, "features", frozen_array(self.features, np.float32, 1, "features"))

    def finding(self, name: str) -> Finding:
        """The finding of that name (or file-name form of it).

        Raises:
            UsageError: The model has no such finding.
        """
        wanted = slug(name)
        for finding in self.findings:
            if slug(finding.name) == wanted:
                return finding
        known = ", ".join(finding.name for finding in self.findings)
        raise UsageError(f"{self.model.name} has no finding {name!r}", next_step=f"It knows: {known}.")
