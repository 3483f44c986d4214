"""Takes values out of a header that came from an untrusted process: of the right kind, or not at all."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from medcam.dicom.sandbox.protocol import ProtocolError


class Fields:
    """A JSON object whose values are checked as they are taken.

    Args:
        values: The object.

    Raises:
        ProtocolError: It is no object; also raised by every method for a value of another kind.
    """

    def __init__(self, values: object) -> None:
        if not isinstance(values, Mapping):
            raise ProtocolError("an object was expected")
        self._values = values

    def text(self, key: str) -> str:
        """A text."""
        value = self._values.get(key)
        if not isinstance(value, str):
            raise ProtocolError(f"{key} is no text")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts."""
        values = self.list(key)
        if not all(isinstance(value, str) for value in values):
            raise ProtocolError(f"{key} is no list of texts")
        return tuple(values)

    def number(self, key: str) -> float:
        """A finite number."""
        value = self._values.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ProtocolError(f"{key} is no number")
        try:
            number = float(value)
        except OverflowError as error:
            raise ProtocolError(f"{key} is too large") from error
        if not math.isfinite(number):
            raise ProtocolError(f"{key} is not finite")
        return number

    def integer(self, key: str, largest: int) -> int:
        """A whole number from 0 on."""
        value = self._values.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= largest:
            raise ProtocolError(f"{key} is no number up to {largest}")
        return value

    def flag(self, key: str) -> bool:
        """True or false."""
        value = self._values.get(key)
        if not isinstance(value, bool):
            raise ProtocolError(f"{key} is neither true nor false")
        return value

    def list(self, key: str) -> list[Any]:
        """A list."""
        value = self._values.get(key)
        if not isinstance(value, list):
            raise ProtocolError(f"{key} is no list")
        return value

    def has(self, key: str) -> bool:
        """Whether there is a value that is not null."""
        return self._values.get(key) is not None

    def object(self, key: str) -> Fields:
        """An object."""
        return Fields(self._values.get(key))

    def text_map(self, key: str) -> dict[str, str]:
        """An object of texts."""
        values = self._values.get(key)
        if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
            raise ProtocolError(f"{key} is no object of texts")
        return dict(values)
