"""The stages of a run of several models: what needs no model is done once for each film, the rest once per model.

What becomes of a film is one outcome for the chain: annotated, where any model explained it. What became of it by each
model is kept in `Ends` until the film is settled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from medcam.core.radiograph import Radiograph
from medcam.service.annotate.admission import Admission
from medcam.service.annotate.inputs import Input
from medcam.service.annotate.instance_output import InstanceFolder
from medcam.service.annotate.outcomes import Annotated, Outcome, overall, refused
from medcam.service.annotate.stages import Answered, Opened, Prepared, Stages
from medcam.service.explain import make_ready
from medcam.service.output_errors import OutputError
from medcam.store import StoreError


@dataclass(frozen=True, eq=False)
class Ends:
    """What became of films by each model, until they are settled.

    Written by the threads of the run, each film by one thread at a time; taken by the thread that settles.
    """

    _by_source: dict[str, dict[int, Outcome]] = field(default_factory=dict)

    def of(self, source: str) -> dict[int, Outcome]:
        """Outcomes by the model's place, of an input that is under way; a model that is not in it has none yet."""
        return self._by_source.setdefault(source, {})

    def take(self, source: str) -> dict[int, Outcome]:
        """The same, of an input that is settled; empty where no model came to see it."""
        return self._by_source.pop(source, {})


@dataclass(frozen=True, eq=False)
class FilmForEach:
    """A film on its way through several models.

    Args:
        file: Where it came from.
        prepared: What each model needs of it, by the model's place; without those whose way has ended.
        answered: What each says, likewise; empty before they are asked.
    """

    file: Input
    prepared: dict[int, Prepared] = field(default_factory=dict, repr=False)
    answered: dict[int, Answered] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, eq=False)
class SeveralStages:
    """The stages of a run, for all its models.

    Args:
        each: The stages of each model; their readers are the same.
        ends: Where it is written what became of a film by each.
    """

    each: Sequence[Stages]
    ends: Ends

    def open(self, file: Input) -> Opened:
        """Finds out what a file is, once for all models; see `Stages.open`."""
        return self.each[0].open(file)

    def prepare(self, opened: Opened) -> FilmForEach | Outcome:
        """Decodes a film and finds its anatomy once, and makes the input of every model that has not finished it."""
        radiograph = self.each[0].decode(opened)
        if not isinstance(radiograph, Radiograph):
            return radiograph
        ends, film = self.ends.of(opened.file.source), FilmForEach(opened.file)
        shared: Prepared | None = None
        for place, stages in enumerate(self.each):
            if place in ends:
                continue
            try:
                if shared is None:
                    film.prepared[place] = shared = stages.made_ready(opened, radiograph)
                else:
                    film.prepared[place] = replace(shared, film=make_ready(radiograph, stages.classifier))
            except Exception as error:  # noqa: BLE001 - what one model cannot take, another may
                ends[place] = refused(opened.file.source, error)
        return film

    def ask(self, films: list[FilmForEach]) -> list[FilmForEach | Outcome]:
        """Asks each model about a batch."""
        for place, stages in enumerate(self.each):
            asked = [film for film in films if place in film.prepared]
            replies = stages.ask([film.prepared[place] for film in asked])
            for film, reply in zip(asked, replies, strict=True):
                if isinstance(reply, Answered):
                    film.answered[place] = reply
                else:
                    self.ends.of(film.file.source)[place] = reply
        return list(films)

    def write(self, film: FilmForEach) -> Outcome:
        """Writes what each model says of a film.

        Returns:
            Annotated, where any model explained it; else why the first did not.

        Raises:
            OutputError: The disk refuses.
            StoreError: The store does.
        """
        ends = self.ends.of(film.file.source)
        for place, answered in film.answered.items():
            try:
                ends[place] = self.each[place].write(answered)
            except (OutputError, StoreError):
                raise
            except Exception as error:  # noqa: BLE001 - one model's failure does not stop the others
                ends[place] = refused(film.file.source, error)
        return overall(ends)


@dataclass(frozen=True, eq=False)
class SeveralAdmission:
    """Decides which opened files go on, and which models have finished them already.

    Args:
        first: Decides about duplicates; knows nothing of what is finished.
        each: The stages of each model.
        ends: Where it is written which models need not be asked.
        resume: Whether finished instances are kept.
    """

    first: Admission
    each: Sequence[Stages]
    ends: Ends
    resume: bool

    def admit(self, files: Iterable[Opened]) -> Iterator[Opened | Outcome]:
        """Yields files to go on with and outcomes of those that do not; contested files are kept back."""
        for opened in self.first.admit(files):
            if isinstance(opened, Opened) and opened.rival is None and self.resume:
                ends = self.ends.of(opened.file.source)
                ends.update(self._finished(opened))
                yield overall(ends) if len(ends) == len(self.each) else opened
            else:
                yield opened

    def _finished(self, opened: Opened) -> Iterator[tuple[int, Annotated]]:
        identity, sha256 = opened.context.identity, opened.context.sha256
        for place, stages in enumerate(self.each):
            folder, request = InstanceFolder(stages.out, identity), stages.request.digest(sha256)
            receipt = folder.receipt(request)
            if receipt is None or (stages.keeper and not stages.keeper.holds(identity, sha256, request)):
                continue
            yield place, Annotated(opened.file.source, folder.name, receipt.flagged, reused=True)
