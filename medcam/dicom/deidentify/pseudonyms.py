"""Pseudonyms: the same secret makes the same ones, and without the secret nobody can make them again.

Everything is HMAC-SHA256 of the original value under the secret. Texts are a letter and decimal digits, so that no name
can appear in one by chance.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from enum import StrEnum

from medcam.core.errors import InvalidValueError

SECRET_BYTES = 32
_SHORT, _LONG = 15, 18
_LARGEST_SHIFT, _SMALLEST_SHIFT = 3650, 366


class Kind(StrEnum):
    """What a pseudonym stands for, and the letter it begins with."""

    PATIENT = "P"
    ACCESSION = "A"
    STUDY = "S"


@dataclass(frozen=True, slots=True)
class Secret:
    """The key of a run.

    Args:
        value: At least 32 random bytes. Whoever has it can tell whether a guess of an original value is right.
    """

    value: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.value) < SECRET_BYTES:
            raise InvalidValueError(f"the secret needs at least {SECRET_BYTES} bytes")

    @classmethod
    def make(cls) -> Secret:
        """A new secret from the operating system's randomness."""
        return cls(secrets.token_bytes(SECRET_BYTES))

    def pseudonym(self, kind: Kind, original: str) -> str:
        """A letter and digits: 19 characters for patients, 16 (the most that SH holds) for the rest."""
        digits = _LONG if kind is Kind.PATIENT else _SHORT
        return f"{kind.value}{self._number(kind.name, original) % 10**digits:0{digits}d}"

    def uid(self, original: str) -> str:
        """A UID in the form 2.25.<number of 128 bits> (PS3.5 B.2)."""
        return f"2.25.{self._number('UID', original) >> 128}"

    def days(self, patient: str) -> int:
        """By how many days a patient's dates move: one to ten years into the past, never 0."""
        return -(_SMALLEST_SHIFT + self._number("DAYS", patient) % (_LARGEST_SHIFT - _SMALLEST_SHIFT + 1))

    def digest(self, what: str, data: bytes) -> str:
        """64 hex digits that stand for data in records that others may see."""
        return hmac.new(self.value, what.encode("ascii") + b"\0" + data, hashlib.sha256).hexdigest()

    def _number(self, what: str, original: str) -> int:
        return int(self.digest(what, original.encode("utf-8", "surrogatepass")), 16)
