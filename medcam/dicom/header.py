"""Reads single attributes of a data set without ever failing on a broken one."""

from __future__ import annotations

import math
from collections.abc import Iterable, MutableSequence

from pydicom.dataset import Dataset

from medcam.dicom.errors import LIBRARY_ERRORS


class Header:
    """A data set's attributes by keyword. A broken attribute counts as absent and leaves a warning.

    Args:
        dataset: The data set, or an item of one of its sequences.
        warnings: Where to collect warnings; shared with the items of sequences. Warnings name keywords, never values.
    """

    def __init__(self, dataset: Dataset, warnings: list[str] | None = None) -> None:
        self.dataset = dataset
        self.warnings: list[str] = [] if warnings is None else warnings

    def warn(self, text: str) -> None:
        """Adds a warning once."""
        if text not in self.warnings:
            self.warnings.append(text)

    def values(self, keyword: str) -> tuple[object, ...]:
        """All values of an attribute; empty when it is absent, empty or broken."""
        try:
            value = self.dataset.get(keyword)
            if value is None or (isinstance(value, str | bytes) and not value.strip()):
                return ()
            is_several = isinstance(value, MutableSequence | tuple) and not isinstance(value, bytearray)
            return tuple(value) if is_several else (value,)
        except LIBRARY_ERRORS:
            self.warn(f"{keyword} cannot be read and is ignored")
            return ()

    def texts(self, keyword: str) -> tuple[str, ...]:
        """All values as stripped text."""
        return tuple(str(value).strip(" \0\r\n\t") for value in self.values(keyword))

    def text(self, keyword: str) -> str:
        """The first value as stripped text, or ""."""
        return next(iter(self.texts(keyword)), "")

    def token(self, keyword: str) -> str:
        """The first value as an upper-case Code String, or ""."""
        return self.text(keyword).upper()

    def numbers(self, keyword: str) -> tuple[float, ...]:
        """All values as finite numbers; none where one of them is not."""
        try:
            numbers = tuple(float(value) for value in self.values(keyword))  # type: ignore[arg-type]
        except LIBRARY_ERRORS:
            numbers = (math.nan,)
        if not all(map(math.isfinite, numbers)):
            self.warn(f"{keyword} is not a number and is ignored")
            return ()
        return numbers

    def number(self, keyword: str) -> float | None:
        """The first value as a finite number, or None."""
        return next(iter(self.numbers(keyword)), None)

    def integer(self, keyword: str) -> int | None:
        """The first value as a whole number, or None."""
        number = self.number(keyword)
        if number is None or number == int(number):
            return None if number is None else int(number)
        self.warn(f"{keyword} is not a whole number and is ignored")
        return None

    def items(self, keyword: str) -> tuple[Header, ...]:
        """The items of a sequence; empty when it is absent or broken."""
        return tuple(Header(item, self.warnings) for item in self.values(keyword) if isinstance(item, Dataset))

    def codes(self, keyword: str) -> tuple[tuple[str, str], ...]:
        """(Coding Scheme Designator, Code Value) of a code sequence's items."""
        return tuple((item.text("CodingSchemeDesignator"), item.text("CodeValue")) for item in self.items(keyword))

    def has_any(self, keywords: Iterable[str]) -> bool:
        """Whether one of the attributes is present, with a value or without."""
        return any(keyword in self.dataset for keyword in keywords)
