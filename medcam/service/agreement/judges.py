"""Who may see whose agreement, and under which name.

An auditor or an administrator sees all readers by name. A reader sees their own answers beside the model's, and other
readers only beside their own, on films that both have answered about, as numbers: which number stands for whom is
different for each who looks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from medcam.core.reader import Reader, Role
from medcam.service.agreement.cases import Case


@dataclass(frozen=True, slots=True, order=True)
class Judge:
    """A reader as somebody may see them.

    Args:
        number: Of a pseudonym, from 1; 0 where they are named.
        name: What they are called; empty where they are not named.
        label: How records name them; empty where they are not named.
        mine: Whether it is the one who looks, who sees no other by name.
    """

    number: int
    name: str = field(repr=False)
    label: str = field(repr=False)
    mine: bool = False


@dataclass(frozen=True, slots=True)
class Judges:
    """The readers of a store, as one of them may see them.

    Args:
        viewer: Number of who looks.
        sees_all: Whether they may see everybody by name.
        known: What they see, by the number of the reader.
    """

    viewer: int
    sees_all: bool
    known: Mapping[int, Judge] = field(repr=False)

    def visible(self, cases: Iterable[Case]) -> list[Case]:
        """The cases that may enter what is shown: all, or one's own and those of others beside an own one."""
        found = list(cases)
        if self.sees_all:
            return found
        own = {(case.film, case.finding, case.phase) for case in found if case.reader == self.viewer}
        return [case for case in found if (case.film, case.finding, case.phase) in own]

    def beside_model(self, cases: Iterable[Case]) -> list[Case]:
        """The cases that may be set beside the model: all, or one's own."""
        return [case for case in cases if self.sees_all or case.reader == self.viewer]

    def may_pair(self, first: int, second: int) -> bool:
        """Whether two readers may be shown beside each other."""
        return self.sees_all or self.viewer in (first, second)


def judges(viewer: Reader, readers: Iterable[Reader]) -> Judges:
    """The readers of a store, as one may see them.

    Args:
        viewer: Who looks.
        readers: All readers of the store.
    """
    everyone = list(readers)
    if viewer.has(Role.AUDITOR, Role.ADMIN):
        known = {one.id: Judge(0, one.name or one.subject, one.label) for one in everyone}
        return Judges(viewer.id, sees_all=True, known=known)
    others = sorted((one.id for one in everyone if one.id != viewer.id), key=lambda one: _shuffled(viewer, one))
    known = {one: Judge(number, "", "") for number, one in enumerate(others, start=1)}
    known[viewer.id] = Judge(0, viewer.name or viewer.subject, viewer.label, mine=True)
    return Judges(viewer.id, sees_all=False, known=known)


def _shuffled(viewer: Reader, other: int) -> str:
    """An order that says nothing of when somebody joined, and stays the same for who looks."""
    return hashlib.sha256(f"{viewer.label} {viewer.id} {other}".encode()).hexdigest()
