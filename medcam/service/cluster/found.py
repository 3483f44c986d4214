"""What the driver keeps of a file that was opened on some machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from medcam.core.radiograph import Identity
from medcam.service.annotate.inputs import Input
from medcam.service.annotate.outcomes import Annotated


@dataclass(frozen=True, slots=True)
class Found:
    """A file that is a DICOM image; a `medcam.service.annotate.admission.Candidate`.

    Args:
        file: Where it lies.
        identity: Its UIDs.
        sha256: Digest of its bytes.
        finished: The results of an earlier run that are kept, by the model's place; without models that have none.
        rival: An annotated input that has the same SOP Instance UID and other content; None where there is none.
    """

    file: Input
    identity: Identity
    sha256: str
    finished: Mapping[int, Annotated] = field(default_factory=dict)
    rival: str | None = None

    @property
    def uid(self) -> str:
        """SOP Instance UID."""
        return self.identity.sop_instance_uid

    def against(self, rival: str) -> Self:
        """The same, with its rival."""
        return replace(self, rival=rival)
