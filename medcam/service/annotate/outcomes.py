"""What became of one input of a run: small records, kept in place of radiographs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from medcam.core.errors import MedcamError, NotAnImageError

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


def refused(source: str, error: Exception) -> Outcome:
    """What an exception means for an input.

    Unexpected ones become `internal-error` and name their type alone: their text may quote patient data.

    Args:
        source: The input's name in records.
        error: What was raised.
    """
    if isinstance(error, NotAnImageError):
        return Skipped(source, error.code, error.message)
    told = error if isinstance(error, MedcamError) else unexpected(error)
    return Quarantined(source, told.code, told.message, told.next_step)


def overall(ends: Mapping[int, Outcome]) -> Outcome:
    """What became of a film for the run as a whole: annotated by any model, else what the first one met."""
    found = [ends[place] for place in sorted(ends)]
    return next((outcome for outcome in found if isinstance(outcome, Annotated)), found[0])
