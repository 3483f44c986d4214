"""What happens to one input of a run, step by step: open, prepare, ask, write.

Each stage takes what the one before it made and returns what the next one needs, or an `Outcome` where the way of an
input ends. Every stage runs in threads: the libraries below release Python's lock while they decode, register,
convolve and compress.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, Self, TypeVar, runtime_checkable

from medcam.anatomy import find_zones
from medcam.core.codes import slug
from medcam.core.explanation import Explanation
from medcam.core.protocols import Classifier
from medcam.core.radiograph import Identity, Radiograph
from medcam.core.zones import Zones
from medcam.dicom import Answer, SourceContext, save_encoded
from medcam.overlay.film import Film
from medcam.overlay.png import save_png
from medcam.service.annotate.dicom_objects import ObjectPlan
from medcam.service.annotate.inputs import Input, plain_path
from medcam.service.annotate.instance_output import OBJECT_NAMES, InstanceFolder, Receipt, Request
from medcam.service.annotate.object_writers import ObjectMaker, ObjectsHere
from medcam.service.annotate.options import Output
from medcam.service.annotate.outcomes import DUPLICATE_UID, Annotated, Outcome, Quarantined, Skipped, refused
from medcam.service.annotate.pictures import PICTURE_SIDE, draw_overlays, findings_to_draw
from medcam.service.annotate.readers import Readers
from medcam.service.annotate.selection import select
from medcam.service.explain import Ready, Reply, ask, make_ready, tell
from medcam.service.explanations.explanation_json import explanation_text
from medcam.service.output_errors import OutputError, writing
from medcam.service.studies.keep import FilmKeeper, FilmToKeep, film_to_keep
from medcam.store import StoreError


@dataclass(frozen=True, eq=False)
class Opened:
    """A file that is a DICOM image.

    Args:
        file: Where it came from.
        data: Its bytes.
        context: Its patient, study and identity.
        rival: An annotated input that has the same SOP Instance UID and other content; None where there is none.
    """

    file: Input
    data: bytes = field(repr=False)
    context: SourceContext = field(repr=False)
    rival: str | None = None

    @property
    def uid(self) -> str:
        """SOP Instance UID; derived from the content where the file has none."""
        return self.context.identity.sop_instance_uid

    @property
    def identity(self) -> Identity:
        """All its UIDs."""
        return self.context.identity

    @property
    def sha256(self) -> str:
        """Digest of its bytes."""
        return self.context.sha256

    def against(self, rival: str) -> Self:
        """The same, with the annotated input that has its UID and other content."""
        return replace(self, rival=rival)


@dataclass(frozen=True, eq=False)
class Prepared:
    """A frontal chest film, or what may be one, with all that needs its full pixels made; these are let go."""

    file: Input
    context: SourceContext = field(repr=False)
    film: Ready = field(repr=False)
    zones: Zones = field(repr=False)
    picture: Film | None = field(repr=False)
    sheet: Film | None = field(repr=False)
    kept: FilmToKeep | None = field(default=None, repr=False)


@dataclass(frozen=True, eq=False)
class Answered:
    """A film with what the model says to it."""

    film: Prepared
    reply: Reply = field(repr=False)

    @property
    def file(self) -> Input:
        """Where it came from."""
        return self.film.file


@runtime_checkable
class UnderWay(Protocol):
    """What became of an input on its way."""

    @property
    def file(self) -> Input:
        """Where it came from."""
        ...


T = TypeVar("T", bound="Input | UnderWay")
R = TypeVar("R")


def guarded(stage: Callable[[T], R | Outcome]) -> Callable[[T], R | Outcome]:
    """A stage that ends an input's way instead of raising; only a refusing output folder or store is let through."""

    def run(item: T) -> R | Outcome:
        try:
            return stage(item)
        except (OutputError, StoreError):
            raise
        except Exception as error:  # noqa: BLE001 - one broken film never stops the rest
            return refused((item.file if isinstance(item, UnderWay) else item).source, error)

    return run


@dataclass(frozen=True, eq=False)
class Stages:
    """The stages of a run.

    Args:
        out: The output folder.
        classifier: The model.
        request: What is asked of every film.
        readers: Who parses and decodes the files.
        keeper: Keeps films in a store; None for no store.
        objects: Who makes the DICOM objects.
    """

    out: Path
    classifier: Classifier
    request: Request
    readers: Readers
    keeper: FilmKeeper | None = None
    objects: ObjectMaker = field(default_factory=ObjectsHere)

    def open(self, file: Input) -> Opened:
        """Finds out what a file is, without decoding its pixels.

        Raises:
            NotAnImageError: It is no image.
            InputError: It cannot be read.
        """
        data = file.read()
        return Opened(file, data, self.readers.open(data, file.name))

    def prepare(self, opened: Opened) -> Prepared | Outcome:
        """Decodes a film, passes over what is known to be no frontal chest film, finds the anatomy."""
        radiograph = self.decode(opened)
        return self.made_ready(opened, radiograph) if isinstance(radiograph, Radiograph) else radiograph

    def decode(self, opened: Opened) -> Radiograph | Outcome:
        """The film; an outcome where its way ends."""
        radiograph = self.readers.radiograph(opened.data, opened.file.name)
        verdict = select(radiograph)
        if verdict.answer is Answer.NO:
            return Skipped(opened.file.source, slug(verdict.reason), verdict.reason)
        if opened.rival is not None:
            return Quarantined(
                opened.file.source,
                DUPLICATE_UID,
                f"another file of this run has the same SOP Instance UID and other content: {opened.rival}",
                "Find out which of the two is right and annotate that one alone.",
            )
        return radiograph

    def made_ready(self, opened: Opened, radiograph: Radiograph) -> Prepared:
        """Makes all that needs a film's full pixels."""
        zones = find_zones(radiograph)
        return Prepared(
            file=opened.file,
            context=opened.context,
            film=make_ready(radiograph, self.classifier),
            zones=zones,
            picture=Film.of(radiograph, PICTURE_SIDE) if Output.PNG in self.request.outputs else None,
            sheet=Film.of(radiograph, self.request.capture_side) if Output.SC in self.request.outputs else None,
            kept=self._to_keep(opened, radiograph, zones),
        )

    def _to_keep(self, opened: Opened, radiograph: Radiograph, zones: Zones) -> FilmToKeep | None:
        if self.keeper is None:
            return None
        return film_to_keep(radiograph, opened.context, zones, plain_path(opened.file), opened.data)

    def ask(self, films: list[Prepared]) -> list[Answered | Outcome]:
        """Asks the model about a batch; where it fails, film by film, so that the culprit alone is quarantined."""
        try:
            replies = ask([film.film for film in films], self.classifier, self.request.method)
            return [Answered(film, reply) for film, reply in zip(films, replies, strict=True)]
        except Exception as error:  # noqa: BLE001 - one broken film never stops the rest
            if len(films) == 1:
                return [refused(films[0].file.source, error)]
            return [outcome for film in films for outcome in self.ask([film])]

    def write(self, answered: Answered) -> Outcome:
        """Makes a film's explanation and writes its results, `explanation.json` last.

        Raises:
            OutputError: The disk refuses them.
            StoreError: The store does.
        """
        film, explanation = answered.film, self._explanation(answered)
        folder = InstanceFolder(self.out, film.context.identity)
        findings = findings_to_draw(explanation, self.request.findings)
        files: list[str] = []
        text = explanation_text(explanation)
        plan = self._plan(film, explanation, text)
        with writing():
            kept = folder.begin(plan.request)
            if film.picture is not None:
                pictures = draw_overlays(film.picture, explanation, findings, self.classifier.card)
                for finding, picture in zip(findings, pictures, strict=True):
                    files.append(save_png(folder.overlay_path(finding.name), picture).name)
            missing = self._missing(kept)
            for name, made in self.objects.make(plan, missing) if missing else ():
                save_encoded(folder.path / name, made)
                files.append(name)
            flagged = explanation.out_of_distribution.flagged
            request = self.request.digest(film.context.sha256)
            if self.keeper is not None and film.kept is not None:
                self.keeper.keep(film.kept, explanation, request)
            receipt = Receipt(request, (*files, *kept), flagged, plan.request)
            folder.finish(text, receipt)
        return Annotated(film.file.source, folder.name, flagged)

    def _explanation(self, answered: Answered) -> Explanation:
        film = answered.film
        allowed = self.request.allow_out_of_distribution
        return tell(film.film, answered.reply, film.zones, self.classifier, allow_out_of_distribution=allowed)

    def _plan(self, film: Prepared, explanation: Explanation, text: str) -> ObjectPlan:
        return ObjectPlan(
            explanation=explanation,
            context=film.context,
            card=self.classifier.card,
            request=f"{self.request.making} of {film.context.sha256}",
            record=text.rstrip().encode("utf-8"),
            software=self.request.software,
            requested=self.request.findings,
            sheet=film.sheet,
            sheet_side=self.request.capture_side,
        )

    def _missing(self, kept: tuple[str, ...]) -> tuple[Output, ...]:
        """The kinds of objects that were asked for and do not stand already."""
        outputs = {Output(output) for output in self.request.outputs}
        return tuple(
            output for output, names in OBJECT_NAMES.items() if output in outputs and not set(names) & set(kept)
        )
