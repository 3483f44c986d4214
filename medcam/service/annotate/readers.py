"""What reads files for a run."""

from __future__ import annotations

from typing import Protocol

from medcam.core.radiograph import Radiograph
from medcam.dicom import SourceContext


class Readers(Protocol):
    """Reads files that are not trusted; may be called from several threads. See `medcam.dicom.sandbox.pool`."""

    def open(self, data: bytes, name: str) -> SourceContext:
        """What a file is; its pixels are not decoded."""
        ...

    def radiograph(self, data: bytes, name: str) -> Radiograph:
        """Decodes a file."""
        ...
