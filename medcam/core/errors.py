"""Errors of the whole project: each has a stable code and says what to do next."""

from __future__ import annotations

import re
from typing import ClassVar

_CODE = re.compile(r"^[a-z0-9]+(-[a-z0-9]+)*$")


class MedcamError(Exception):
    """Base of every error that medcam raises on purpose.

    Args:
        message: What is wrong, in one sentence, without patient data.
        code: Stable kebab-case code for programs and quarantine records. Defaults to the class's own.
        next_step: What the user can do now.
    """

    default_code: ClassVar[str] = "error"
    default_next_step: ClassVar[str] = "See the documentation's table of error codes."

    def __init__(self, message: str, *, code: str | None = None, next_step: str | None = None) -> None:
        self.message = message
        self.code = code or self.default_code
        self.next_step = next_step or self.default_next_step
        if not _CODE.match(self.code):
            raise ValueError(f"error code {self.code!r} is not kebab-case")
        super().__init__(message)

    def __str__(self) -> str:
        return f"{self.message} [{self.code}] {self.next_step}"

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments do not survive the default pickling; errors cross process borders.
        return (_rebuild, (type(self), self.message, self.code, self.next_step))


def _rebuild(kind: type[MedcamError], message: str, code: str, next_step: str) -> MedcamError:
    return kind(message, code=code, next_step=next_step)


class InvalidValueError(MedcamError, ValueError):
    """A value type was given something it cannot hold."""

    default_code = "invalid-value"
    default_next_step = "Correct the value; the message says which one."


class InputError(MedcamError):
    """An input file cannot be used. The batch quarantines it and goes on."""

    default_code = "unreadable"
    default_next_step = "Check the file with a DICOM viewer, or send it again from its source."


class NotAnImageError(InputError):
    """A DICOM object without pixels (report, presentation state, key objects), or no DICOM at all. It is skipped."""

    default_code = "not-an-image"
    default_next_step = "Nothing to do: the object is passed over."


class UsageError(MedcamError):
    """The call itself is wrong (unknown finding, model, option)."""

    default_code = "usage"
    default_next_step = "Run the command with --help."


class ModelError(MedcamError):
    """A model cannot be found, loaded or used for what was asked."""

    default_code = "model"
    default_next_step = "Run `medcam models list`."
