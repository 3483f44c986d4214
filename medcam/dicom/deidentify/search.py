"""Searches bytes for many texts at once, in every encoding that a DICOM file may hold them in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

_ENCODINGS: Final = ("latin-1", "utf-8", "utf-16-le", "utf-16-be")
_PREFIX: Final = 4
_LONG, _LONG_NUMBER, _DISTINCT = 8, 12, 6
"""Characters, and different ones among them, of a text that pixels do not hold by chance. Noise in air may have the
values of any few digits; its neighbours are alike, and letters of a name are not."""


class Searcher:
    """Finds texts in bytes, letters of either case.

    Args:
        texts: What to look for, at least four characters each.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._by_prefix: dict[bytes, dict[bytes, str]] = {}
        for text in {text.lower() for text in texts}:
            for pattern in _patterns(text):
                self._by_prefix.setdefault(pattern[:_PREFIX], {})[pattern] = text

    def finds(self, data: bytes, ignored: str = "") -> Iterator[int]:
        """Positions at which one of the texts begins.

        A number counts where no digit and no dot stands beside it, so that it is not found inside a UID by chance.

        Args:
            data: Where to look.
            ignored: Lower-case text; what stands in it does not count, since it may stand in any file.
        """
        lower = data.lower()
        for position in range(len(lower) - _PREFIX + 1):
            for pattern, text in self._by_prefix.get(lower[position : position + _PREFIX], {}).items():
                if not lower.startswith(pattern, position) or text in ignored:
                    continue
                if not text.isdigit() or _stands_alone(lower, position, pattern):
                    yield position
                    break

    def finds_in_bulk(self, values: bytes) -> bool:
        """Whether one of the longer texts stands in pixels or tables; short ones would be found by chance."""
        lower = values.lower()
        return any(
            pattern in lower
            for patterns in self._by_prefix.values()
            for pattern, text in patterns.items()
            if _is_distinct(text)
        )


def _is_distinct(text: str) -> bool:
    shortest = _LONG_NUMBER if all(not character.isalpha() for character in text) else _LONG
    return len(text) >= shortest and len(set(text)) >= _DISTINCT


def _stands_alone(data: bytes, position: int, pattern: bytes) -> bool:
    end = position + len(pattern)
    before, after = data[max(0, position - 1) : position], data[end : end + 1]
    return not set(before + after) & set(b"0123456789.")


def _patterns(text: str) -> set[bytes]:
    patterns = set()
    for form in (text, text.upper(), text.title()):
        for encoding in _ENCODINGS:
            try:
                patterns.add(form.encode(encoding).lower())
            except UnicodeEncodeError:
                continue
    return {pattern for pattern in patterns if len(pattern) >= _PREFIX}
