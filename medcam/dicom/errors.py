"""What can go wrong with a DICOM file, and the one boundary where the libraries' exceptions become ours."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from pydicom.errors import BytesLengthException, InvalidDicomError

from medcam.core.errors import InputError, InvalidValueError, MedcamError, NotAnImageError

LIBRARY_ERRORS: tuple[type[Exception], ...] = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BytesLengthException,
    EOFError,
    ImportError,
    InvalidDicomError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""The families that pydicom, numpy and the codec plugins raise on hostile input.

RuntimeError covers RecursionError (nested sequences) and NotImplementedError, ValueError covers UnicodeError,
LookupError covers unknown character sets. What is not in the list (KeyboardInterrupt, SystemExit) is meant to pass.
MemoryError is dealt with apart: an attribute that there was no room for is not a broken one.
"""


class NotDicomError(NotAnImageError):
    """A file that neither is nor claims to be DICOM, such as a text file in a study's folder. It is skipped."""

    default_code: ClassVar[str] = "not-dicom"
    default_next_step: ClassVar[str] = "Nothing to do: the file is passed over."


class BrokenDicomError(InputError):
    """A file that claims to be DICOM, by its name or its first bytes, and cannot be read as such. It is quarantined."""

    default_code: ClassVar[str] = "broken-dicom"


class PixelDataError(InputError):
    """The pixel data are damaged, or in a form that cannot be decoded here."""

    default_code: ClassVar[str] = "undecodable"


def out_of_memory() -> InputError:
    """The error for a file that needs more memory than reading may take."""
    return InputError(
        "reading the file takes more memory than is allowed or there",
        code="reading-memory",
        next_step="If the image is what it claims to be, store it smaller, or read it on a machine with more memory.",
    )


@contextmanager
def converting(what: str, kind: type[InputError] = InputError, code: str | None = None) -> Iterator[None]:
    """Turns exceptions of the DICOM libraries into an `InputError`; our own pass.

    The message names the exception's type only: its text may quote attribute values, which are patient data.

    Args:
        what: What cannot be done, such as "the pixel data cannot be decoded".
        kind: Class of the error raised.
        code: Its code; the class's own by default.

    Raises:
        InputError: In place of anything in `LIBRARY_ERRORS`, and of MemoryError (code `reading-memory`).
    """
    try:
        yield
    except InvalidValueError as error:
        raise kind(f"{what}: {error.message}", code=code) from error
    except MedcamError:
        raise
    except MemoryError as error:
        raise out_of_memory() from error
    except LIBRARY_ERRORS as error:
        raise kind(f"{what} ({type(error).__name__})", code=code) from error
