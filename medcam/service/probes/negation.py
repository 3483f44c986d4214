"""What a report says of a phrase: affirmed, in doubt, negated, or nothing at all.

After NegEx (Chapman et al. 2001, J Biomed Inform 34:301): words that negate, before and after the phrase, within its
clause; words that only look like it ("no change"); words of doubt. The lists are for chest films and are medcam's own.
"""

from __future__ import annotations

import re
from enum import StrEnum

from medcam.core.errors import UsageError
from medcam.service.probes.words import EMPTY, clauses, stem, tokens

LOOSE = 4
"""Words that may stand between those of a phrase: "blunting of the left costophrenic angle"."""

_NOT_NEGATIONS = re.compile(
    r"\bno (?:significant |interval |appreciable |definite )*(?:change|increase|decrease|improvement|progression)\b"
    r"(?: (?:in|of|from|since))?|\bnot (?:significantly |appreciably )?(?:changed|increased|decreased|improved)\b"
    r"|\bnot (?:previously )?(?:seen|present|visible|evident|noted|identified) (?:(?:on|in|at) (?:the |any |a )?)?"
    r"(?:prior|previous(?:ly)?|before|earlier)\b|\bnot previously (?:seen|present|visible|evident|noted|identified)\b"
    r"|\bnot (?:yet |fully |completely |entirely )?(?:resolved|cleared)\b|\bnot only\b"
    r"|\bwithout (?:significant |interval )*change\b(?: in)?|\bunchanged\b"
)
_BEFORE = re.compile(
    r"\b(?:no|not|without|never|neither|nor|none of|absent|absence of|lack of|free of|clear of|negative for|denies"
    r"|resolution of|resolved|interval clearing of|fails to (?:show|reveal|demonstrate)|rather than|instead of"
    r"|excludes?|rules? out|ruled out|do(?:es)? not (?:show|have|demonstrate)|non|removal of)\b"
)
_AFTER = re.compile(
    r"\b(?:(?:is|are|was|were|has been|have been|can be|cannot be|not)\s+)*"
    r"(?:not (?:\w+ )?(?:seen|identified|present|visuali[sz]ed|evident|demonstrated|appreciated|detected|noted|found)"
    r"|no longer (?:\w+ )?(?:seen|present|visible|evident|identified)"
    r"|absent|excluded|ruled out|resolved|cleared|gone|disappeared|unlikely|removed|negative)\b"
    r"|:\s*(?:none|no|nil|negative|absent)\b"
)
_DOUBT = re.compile(
    r"\b(?:possibl[ey]|possibility|probabl[ey]|may|might|could|suspect(?:ed|s)?|suspicious for"
    r"|suspicion (?:of|for)|questionable|question of"
    r"|suggest(?:s|ed|ing|ive)?|concern(?:ing)?(?: for)?|versus|vs|equivocal|cannot (?:be )?(?:entirely |completely )?"
    r"(?:exclude|excluded|rule out|ruled out)|not (?:be )?(?:entirely |completely )?excluded|rule out|evaluate for"
    r"|assess for|consider|correlate|if|presumed|potential(?:ly)?|perhaps|likely)\b"
)
_DOUBT_AFTER = re.compile(
    r"\b(?:cannot (?:be )?(?:entirely |completely )?(?:exclude|excluded|rule out|ruled out)"
    r"|not (?:be )?(?:entirely |completely )?(?:excluded|ruled out)|suspected|questioned|equivocal|uncertain|versus|vs"
    r"|(?:may|might|could) be (?:present|there|seen)|(?:should|could|may) be considered"
    r"|(?:is|are) (?:also )?(?:possible|probable|likely|questionable))\b(?:$|(?! (?:due|from|related|a|an|the|old))\W)"
)
"""Doubt that follows says what a sign may mean, "blunting that may be scarring", unless it is one of these."""

_BEFORE_NOW = re.compile(r"\b(?:history of|status post|prior|previous(?:ly)?|formerly)\b")
_NOW = re.compile(r"\b(?:is|are|has|have|remains?|persists?|again|still)\b")


class Said(StrEnum):
    """What a report says of a phrase."""

    AFFIRMED = "affirmed"
    DOUBTED = "doubted"
    NEGATED = "negated"
    NOTHING = "nothing"


class Phrase:
    """A few words that reports may hold in other forms, in another order and with other words between.

    Args:
        text: Such as "blunted costophrenic angle".

    Raises:
        UsageError: It holds no word that says anything (`probe-phrase`).
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.stems = tuple(dict.fromkeys(stem(word) for word in tokens(text) if word not in EMPTY))
        if not self.stems:
            raise UsageError(
                f"the phrase {text!r} holds no word to look for",
                code="probe-phrase",
                next_step='Give a few words as reports use them, such as "blunted costophrenic angle".',
            )

    def find(self, clause: str) -> tuple[int, int] | None:
        """Where the phrase stands in a clause, as (start, end) in characters; the tightest place, or None."""
        found = [
            (match.start(), match.end(), stem(match.group())) for match in re.finditer(r"[a-z]+|\d+(?:\.\d+)?", clause)
        ]
        best: tuple[int, int, int] | None = None
        for first in range(len(found)):
            missing = set(self.stems)
            for last in range(first, min(len(found), first + len(self.stems) + LOOSE)):
                missing.discard(found[last][2])
                if not missing:
                    if best is None or last - first < best[0]:
                        best = (last - first, found[first][0], found[last][1])
                    break
        return None if best is None else (best[1], best[2])


def said_of(phrase: Phrase, report: str) -> Said:
    """What a report says of a phrase: the strongest of what its clauses say.

    One clause that affirms is enough; else one that doubts; else one that negates.

    Args:
        phrase: The phrase.
        report: Plain text, with sections such as "Findings:" or without.
    """
    said = {_said_by(phrase, clause) for clause in clauses(report)}
    return next((each for each in (Said.AFFIRMED, Said.DOUBTED, Said.NEGATED) if each in said), Said.NOTHING)


def _said_by(phrase: Phrase, clause: str) -> Said:
    plain = _NOT_NEGATIONS.sub(lambda match: " " * len(match.group()), clause)
    place = phrase.find(plain)
    if place is None:
        return Said.NOTHING
    start, end = place
    before, inside, after = plain[:start], plain[start:end], plain[end:]
    if _DOUBT.search(f"{before}{inside}") or _DOUBT_AFTER.search(after):
        return Said.DOUBTED
    if _BEFORE.search(before) or _BEFORE.search(inside) or _AFTER.search(f"{inside}{after}"):
        return Said.NEGATED
    past = _BEFORE_NOW.search(before) and not _NOW.search(after)
    return Said.NOTHING if past else Said.AFFIRMED
