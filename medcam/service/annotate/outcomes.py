"""What became of one input of a run: small records, kept in place of radiographs."""

from __future__ import annotations

from dataclasses import dataclass

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


Outcome = Annotated | Skipped | Duplicate | Quarantined
