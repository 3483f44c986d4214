"""What a run of `annotate` is asked to do."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from enum import StrEnum

from medcam.core.errors import UsageError
from medcam.dicom.network.destination import Destination
from medcam.dicom.network.security import Security
from medcam.models.engines.names import AUTO, parse_engine


class Output(StrEnum):
    """What is written for each radiograph."""

    JSON = "json"
    PNG = "png"
    SC = "sc"
    SEG = "seg"
    SR = "sr"
    KO = "ko"
    GSPS = "gsps"


CAPTURE_SIDE = 1024
SMALLEST_CAPTURE, LARGEST_CAPTURE = 512, 4096
DEFAULT_OUTPUTS = (Output.JSON, Output.PNG)


def parse_outputs(text: str) -> tuple[Output, ...]:
    """Reads a list such as "json,png,sc".

    Returns:
        Outputs in a fixed order, each once. `explanation.json` is always among them: it marks an instance as complete.

    Raises:
        UsageError: A word is not an output (code `unknown-output`).
    """
    words = {word.strip().lower() for word in text.split(",") if word.strip()}
    known = [str(output) for output in Output]
    unknown = sorted(words - set(known))
    if unknown or not words:
        raise UsageError(
            f"--write does not know {', '.join(unknown) or 'an empty list'}",
            code="unknown-output",
            next_step=f"Choose among {', '.join(known)}, separated by commas.",
        )
    return tuple(output for output in Output if output in words or output is Output.JSON)


def default_workers() -> int:
    """One thread per core, eight at most: beyond that the disk and the model set the pace."""
    return min(8, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class AnnotateOptions:
    """How to annotate.

    Args:
        model: A model's name or the path of a model folder.
        findings: Findings to draw, by name; empty for the findings that are present (see `findings_to_draw`).
        outputs: What to write; see `parse_outputs`.
        workers: Threads that read, prepare and write.
        resume: Whether instances completed by an earlier run with the same source, model and options are kept.
        allow_out_of_distribution: Whether `present` is told for films that the model finds strange.
        send_to: Where DICOM objects are sent; None for nowhere.
        security: How DICOMweb services and application entities are called.
        capture_side: Most pixels along the longer side of a Secondary Capture, 512 to 4096.
        store: Folder or URL of a store that films and explanations are kept in for readers; None for none.
        method: Attribution method, as in `medcam.explain`; None for the model's own.
        engine: What computes the maps, see `medcam.load_model`.
    """

    model: str = "phantom"
    findings: tuple[str, ...] = ()
    outputs: tuple[Output, ...] = DEFAULT_OUTPUTS
    workers: int = 0
    resume: bool = True
    allow_out_of_distribution: bool = False
    capture_side: int = CAPTURE_SIDE
    send_to: Destination | None = None
    security: Security = field(default_factory=Security)
    store: str | None = None
    method: str | None = None
    engine: str = AUTO

    def __post_init__(self) -> None:
        parse_engine(self.engine)
        if self.workers < 0:
            raise UsageError("the number of workers must be positive")
        if not SMALLEST_CAPTURE <= self.capture_side <= LARGEST_CAPTURE:
            raise UsageError(
                f"a Secondary Capture has {SMALLEST_CAPTURE} to {LARGEST_CAPTURE} pixels on its longer side"
            )
        if Output.JSON not in self.outputs:
            object.__setattr__(self, "outputs", parse_outputs(",".join((Output.JSON, *self.outputs))))
        if self.send_to is not None and not set(self.outputs) - {Output.JSON, Output.PNG}:
            raise UsageError(
                "there is nothing to send: no kind of DICOM object is asked for",
                code="nothing-to-send",
                next_step="Add sc, seg, sr, ko or gsps to --write.",
            )
        if self.workers == 0:
            object.__setattr__(self, "workers", default_workers())

    @property
    def engine_threads(self) -> int:
        """Most threads of the engine: the workers where fewer are asked for than by default; 0 for its own choice."""
        return self.workers if self.workers < default_workers() else 0
