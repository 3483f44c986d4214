"""What a run of `deidentify` is asked to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from medcam.core.errors import UsageError
from medcam.dicom.deidentify import Profile
from medcam.service.annotate.options import default_workers


@dataclass(frozen=True, slots=True)
class DeidentifyOptions:
    """How to de-identify.

    Args:
        profile: Options of the confidentiality profile.
        key: The key file; beside the output folder by default.
        workers: Files worked on at once; as many as cores, at most 8, by default.
        resume: Whether outputs of an earlier run with the same source, key, options and version are kept.
    """

    profile: Profile = field(default_factory=Profile)
    key: Path | None = None
    workers: int = field(default_factory=default_workers)
    resume: bool = True

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise UsageError("the number of workers must be positive")
