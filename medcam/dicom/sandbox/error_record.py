"""An error as a header, and back, as one of a fixed list of classes."""

from __future__ import annotations

from medcam.core.errors import InputError, InvalidValueError, MedcamError, NotAnImageError
from medcam.dicom.errors import BrokenDicomError, NotDicomError, PixelDataError
from medcam.dicom.sandbox.fields import Fields
from medcam.dicom.sandbox.protocol import ProtocolError

_KINDS: dict[str, type[MedcamError]] = {
    kind.__name__: kind
    for kind in (InputError, NotAnImageError, NotDicomError, BrokenDicomError, PixelDataError, InvalidValueError)
}
_LONGEST_CODE = 64
_LONGEST_TEXT = 1000


def error_to_record(error: MedcamError) -> dict[str, str]:
    """The header; a class that is not in the list travels as the nearest one above it that is."""
    kind = next((kind.__name__ for kind in type(error).__mro__ if kind.__name__ in _KINDS), InputError.__name__)
    message = "".join(character if character.isprintable() else "?" for character in error.message[:_LONGEST_TEXT])
    return {"kind": kind, "code": error.code, "message": message, "next_step": error.next_step}


def error_from_record(record: object) -> MedcamError:
    """Rebuilds an error.

    Raises:
        ProtocolError: Its class is not in the list, its code is none, or a text is not a line of printable text.
    """
    fields = Fields(record)
    kind = _KINDS.get(fields.text("kind"))
    code, message, next_step = (fields.text(key) for key in ("code", "message", "next_step"))
    if kind is None or len(code) > _LONGEST_CODE:
        raise ProtocolError("an error that is not known")
    if any(len(text) > _LONGEST_TEXT or not text.isprintable() for text in (message, next_step)):
        raise ProtocolError("an error whose text is not printable")
    try:
        return kind(message, code=code, next_step=next_step)
    except ValueError as error:
        raise ProtocolError("an error without a valid code") from error
