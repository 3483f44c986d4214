"""Words of reports: sentences, clauses, tokens, and word stems under which "blunted" and "blunting" are one."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SECTIONS = re.compile(
    r"^\s*(?P<name>indications?|reason for (?:exam|examination|study)|(?:clinical )?(?:history|information)"
    r"|comparisons?|techniques?|examinations?|procedures?|findings?|impressions?|conclusions?|opinion|reports?)\s*:",
    re.IGNORECASE | re.MULTILINE,
)
_SEEN = ("finding", "impression", "conclusion", "opinion", "report")
"""Sections about what is on the film; the others say why it was taken, how, or what was there before."""

_SENTENCES = re.compile(r"(?<!\d)\.(?!\d)|\.(?=\s)|[;!?]|\n\s*\n|\n\s*(?=[-*\d]+[.)]?\s)|\n\s*(?=[A-Z][a-z])")
"""A line that begins with a capital begins a sentence: many reports have no full stops."""

_CLAUSES = re.compile(
    r"\b(?:but|however|although|though|whereas|while|except|apart from|aside from|other than|yet)\b"
    r"|\band\b(?=\s+(?:the|a|an|there|no|is|are|his|her|both|mild|moderate|severe|new|stable)\b)",
    re.IGNORECASE,
)
_FINITE = re.compile(
    r"\b(?:is|are|was|were|has|have|shows?|remains?|appears?|seen|noted|present|persists?|measures?)\b", re.IGNORECASE
)
_OPEN = re.compile(r"\b(?:no|neither|without)\b")
_TOKENS = re.compile(r"[a-z]+|\d+(?:\.\d+)?")
_ENDINGS = (
    "ifications", "ification", "ements", "ations", "ities", "ement", "ation", "ments", "iness", "ions", "ings", "asis",
    "osity", "atic", "ment", "ness", "ated", "ates", "ally", "ified", "ical", "ion", "ing", "ity", "ies", "ied", "ous",
    "ate", "al", "ed", "es", "ic", "ly", "us", "um", "as", "ar", "a", "e", "s", "y",
)  # fmt: skip
_SHORTEST_STEM = 4
EMPTY = frozenset((
    "a", "an", "and", "are", "as", "at", "be", "by", "for", "in", "is", "it", "its", "of", "on", "or",
    "over", "the", "there", "this", "to", "was", "were", "with", "within",
))  # fmt: skip
"""Words that say nothing of what is there."""


def seen_text(report: str) -> str:
    """The sections of a report about what is on the film; all of it where it has no sections."""
    starts = list(_SECTIONS.finditer(report))
    if not starts:
        return report
    ends = [*(found.start() for found in starts[1:]), len(report)]
    parts = [report[: starts[0].start()]]
    parts += [
        report[found.end() : end]
        for found, end in zip(starts, ends, strict=True)
        if found["name"].lower().startswith(_SEEN)
    ]
    return "\n\n".join(parts)


def clauses(report: str) -> Iterator[str]:
    """The clauses of what a report says about the film, in lower case.

    A negation reaches no further than its clause. Commas part clauses only where a verb follows, and after a "no" that
    waits for its verb not even there: "no effusion or edema, consolidation or pneumothorax is seen" is one clause.
    """
    for sentence in _SENTENCES.split(seen_text(report)):
        for piece in _CLAUSES.split(sentence.lower()):
            yield from _at_commas(piece)


def _at_commas(piece: str) -> Iterator[str]:
    gathered = ""
    for part in piece.split(","):
        if gathered and _FINITE.search(part) and (_FINITE.search(gathered) or not _OPEN.search(gathered)):
            yield gathered
            gathered = part
        else:
            gathered = f"{gathered},{part}" if gathered else part
    if gathered.strip():
        yield gathered


def tokens(text: str) -> list[str]:
    """Words and numbers in lower case."""
    return _TOKENS.findall(text.lower())


def stem(word: str) -> str:
    """A word without its ending: "blunted", "blunting" and "blunt" are one, as are "opacity" and "opacities"."""
    if word.endswith("mata"):  # granulomata
        word = word[:-2]
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word[: -len(ending)]
    return word
