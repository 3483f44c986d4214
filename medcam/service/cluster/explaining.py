"""The second job of a run, as the driver hands it to the processes that do it."""

from __future__ import annotations

from dataclasses import dataclass

from medcam.service.annotate.options import AnnotateOptions
from medcam.service.cluster.asked import Asked
from medcam.service.cluster.blocks import Work
from medcam.service.cluster.shared_store import SharedStore
from medcam.service.cluster.web_input import WebAccess


@dataclass(frozen=True, slots=True)
class Explaining:
    """Makes the work of such a process.

    Args:
        out: The output: absolute path or URL.
        options: How to annotate; `workers` threads and cores.
        asked: What is asked of each model.
        store: Where films are kept for readers too; None for nowhere.
        web: How images of DICOMweb services are fetched; None where no input is one.
    """

    out: str
    options: AnnotateOptions
    asked: tuple[Asked, ...]
    store: SharedStore | None = None
    web: WebAccess | None = None

    def __call__(self) -> Work:
        """The work, with models, atlas and processes that read files."""
        from medcam.service.cluster.explaining_work import ExplainingWork  # networks: not for the driver

        return ExplainingWork(self)
