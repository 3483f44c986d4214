"""Errors of the output folder: they stop a run, since no further result could be kept."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from medcam.core.errors import InputError, MedcamError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


class OutputError(MedcamError):
    """Results cannot be written."""

    default_code = "output-failed"
    default_next_step = "Check the disk and run the same command again: what was finished is kept."


@contextmanager
def writing() -> Iterator[None]:
    """Turns the disk's refusals inside into an `OutputError`.

    Raises:
        OutputError: Codes `disk-full`, `output-not-writable`, `output-failed`.
    """
    try:
        yield
    except OSError as error:
        raise _output_error(error) from error
    except InputError as error:
        # The DICOM writers report a refusing disk as an object that cannot be written.
        if isinstance(error.__cause__, OSError):
            raise _output_error(error.__cause__) from error
        raise


def _output_error(error: OSError) -> OutputError:
    reason = error.strerror or type(error).__name__
    if error.errno in _FULL:
        return OutputError(
            f"the disk of the output folder is full ({reason})",
            code="disk-full",
            next_step="Free some space and run the same command again: what was finished is kept.",
        )
    if error.errno in _FORBIDDEN:
        return OutputError(
            f"the output folder cannot be written ({reason})",
            code="output-not-writable",
            next_step="Choose another folder, or change its permissions.",
        )
    return OutputError(f"the output folder cannot be written ({reason})")
