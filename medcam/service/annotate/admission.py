"""Which opened files go on to the model: not the same object twice, not what an earlier run has finished."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Protocol, Self, TypeVar

from medcam.core.radiograph import Identity
from medcam.service.annotate.inputs import Input
from medcam.service.annotate.instance_output import InstanceFolder, Request
from medcam.service.annotate.outcomes import Annotated, Duplicate, Outcome
from medcam.service.studies.keep import FilmKeeper


class Candidate(Protocol):
    """A file that was opened: all that is decided about it is decided by this."""

    @property
    def file(self) -> Input:
        """Where it came from."""
        ...

    @property
    def uid(self) -> str:
        """Its SOP Instance UID."""
        ...

    @property
    def identity(self) -> Identity:
        """All its UIDs."""
        ...

    @property
    def sha256(self) -> str:
        """Digest of its bytes."""
        ...

    def against(self, rival: str) -> Self:
        """The same, with the annotated input that has its UID and other content."""
        ...


C = TypeVar("C", bound=Candidate)


class _State(Enum):
    UNDER_WAY = auto()
    ANNOTATED = auto()
    REFUSED = auto()


@dataclass(slots=True)
class _Claim:
    """Who came first with a SOP Instance UID, and what became of it."""

    source: str
    sha256: str
    state: _State = _State.UNDER_WAY


class Admission:
    """Decides in the inputs' order, in one thread.

    An instance UID belongs to the first file that comes with it. The same bytes again are a duplicate. A file of other
    bytes goes on with the first one named as its rival, and ends as `duplicate-uid` unless worse is found about it. The
    first one loses its claim when it turns out to be unusable: a broken copy must not keep a whole one out. Where that
    is not known yet, the later file is contested and has to be offered again.

    Args:
        out: The run's output folder.
        request: What is asked of every film.
        resume: Whether finished instances are kept.
        keeper: The store that finished films have to be in too; None for no store.
    """

    def __init__(self, out: Path, request: Request, *, resume: bool, keeper: FilmKeeper | None = None) -> None:
        self._out, self._request, self._resume, self._keeper = out, request, resume, keeper
        self._claims: dict[str, _Claim] = {}
        self._under_way: dict[str, _Claim] = {}
        self._contested: list[Input] = []

    def admit(self, files: Iterable[C]) -> Iterator[C | Outcome]:
        """Yields files to go on with and outcomes of those that do not; contested files are kept back."""
        for opened in files:
            decision = self._decide(opened)
            if decision is not None:
                yield decision

    def settle(self, outcome: Outcome) -> None:
        """Learns what became of an input; outcomes of inputs that were not admitted change nothing."""
        claim = self._under_way.pop(outcome.source, None)
        if claim is not None:
            claim.state = _State.ANNOTATED if isinstance(outcome, Annotated) else _State.REFUSED

    def take_contested(self) -> list[Input]:
        """The files to offer again, now that all others are settled."""
        contested, self._contested = self._contested, []
        return contested

    def _decide(self, opened: C) -> C | Outcome | None:
        source, sha256 = opened.file.source, opened.sha256
        claim = self._claims.get(opened.uid)
        if claim is None or (claim.state is _State.REFUSED and claim.sha256 != sha256):
            return self._claim(opened)
        if claim.sha256 == sha256:
            return Duplicate(source, claim.source)
        if claim.state is _State.UNDER_WAY:
            self._contested.append(opened.file)
            return None
        return opened.against(claim.source)

    def _claim(self, opened: C) -> C | Outcome:
        source, sha256 = opened.file.source, opened.sha256
        self._claims[opened.uid] = self._under_way[source] = _Claim(source, sha256)
        if not self._resume:
            return opened
        folder = InstanceFolder(self._out, opened.identity)
        request = self._request.digest(sha256)
        receipt = folder.receipt(request)
        if receipt is None:
            return opened
        if self._keeper is not None and not self._keeper.holds(opened.identity, sha256, request):
            return opened
        return Annotated(source, folder.name, receipt.flagged, reused=True)
