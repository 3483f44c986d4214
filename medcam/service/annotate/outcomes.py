"""What became of one input of a run: small records, kept in place of radiographs."""

from __future__ import annotations

from dataclasses import dataclass

from medcam.core.errors import MedcamError

DUPLICATE_UID = "duplicate-uid"
INTERNAL_ERROR = "internal-error"


@dataclass(frozen=True, slots=True)
class Annotated:
    """Results lie in a folder.

    Args:
        source: The input's name in records.
        folder: Relative to the run's output folder, such as "0123456789abcdef/fedcba9876543210".
        flagged: Whether the model finds the film strange (out of distribution).
        reused: Whether an earlier run had finished it already.
    """

    source: str
    folder: str
    flagged: bool
    reused: bool = False


@dataclass(frozen=True, slots=True)
class Skipped:
    """Passed over: no image, or known not to be a frontal chest film."""

    source: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The same object, byte for byte, as an earlier input."""

    source: str
    original: str


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Refused, with a code, what is wrong and what can be done."""

    source: str
    code: str
    message: str
    next_step: str


def unexpected(error: Exception) -> MedcamError:
    """What is told of an exception that nobody foresaw: its type alone, since its text may quote patient data."""
    return MedcamError(
        f"medcam failed on this file ({type(error).__name__})",
        code=INTERNAL_ERROR,
        next_step="Report it to the project with the file's transfer syntax and size; never send patient data.",
    )


Outcome = Annotated | Skipped | Duplicate | Quarantined
