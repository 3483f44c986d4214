"""Puts what `annotate` found into a store: the explanation whole, the film's pixels, and where its source lies."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from medcam.core.card import ModelCard
from medcam.core.explanation import Explanation
from medcam.core.radiograph import Identity, Radiograph
from medcam.core.study import Study
from medcam.core.urgency import margin, rank
from medcam.core.zones import Zones
from medcam.dicom import SourceContext
from medcam.dicom.read import file_bytes
from medcam.models.card_json import card_to_json
from medcam.overlay.film16 import PackedFilm, pack_film
from medcam.service.explanations.explanation_json import explanation_text
from medcam.service.studies.opened import OpenedStore
from medcam.service.studies.voi_table import pack_table
from medcam.service.studies.zone_image import pack_zones
from medcam.store import KeptExplanation, KeptFinding, KeptModel, KeptRadiograph, pack_content


@dataclass(frozen=True, eq=False)
class FilmToKeep:
    """All that a store needs of a film, made while its full pixels are at hand.

    Args:
        study: Its study.
        film: Its record, without a source.
        pixels: Its packed pixels.
        path: Where the DICOM file lies by itself; None where it came from an archive or a network.
        data: The DICOM file, where a copy has to be kept; empty otherwise.
    """

    study: Study = field(repr=False)
    film: KeptRadiograph = field(repr=False)
    pixels: bytes = field(repr=False)
    path: Path | None
    data: bytes = field(repr=False)


class FilmKeeper(Protocol):
    """Keeps films while they are annotated. May be called from several threads."""

    def holds(self, identity: Identity, sha256: str, request: str) -> bool:
        """Whether a film's explanation for a request is kept, and its pixels too."""
        ...

    def keep(self, film: FilmToKeep, explanation: Explanation, request: str) -> bool:
        """Keeps a film and what was said of it; whether the explanation is new."""
        ...


@dataclass(frozen=True, eq=False)
class Keeper:
    """Keeps films in a store. May be called from several threads.

    Args:
        opened: The store.
        card: Of the model that speaks.
        clock: Seconds since 1970 UTC.
        copies: Whether the DICOM files are copied: where they lie by themselves now, they are let go of some day.
    """

    opened: OpenedStore
    card: ModelCard
    clock: Callable[[], float] = time.time
    copies: bool = False

    @classmethod
    def of(cls, opened: OpenedStore, card: ModelCard, *, copies: bool = False) -> Keeper:
        """A keeper for what one model says; the model's card is kept at once."""
        keeper = cls(opened, card, copies=copies)
        text = card_to_json(card)
        kept = KeptModel(card_digest(card), card.name, card.version, card.weights_sha256, text)
        opened.films.keep_model(kept, keeper.clock())
        return keeper

    @cached_property
    def _card_sha256(self) -> str:
        return card_digest(self.card)

    def holds(self, identity: Identity, sha256: str, request: str) -> bool:
        """Whether a film's explanation for a request is in the store, and its pixels too.

        Args:
            identity: Of the film.
            sha256: Digest of its DICOM file.
            request: Digest of all that decides what is said.
        """
        film = Identity.folder_name(identity.sop_instance_uid)
        return self.opened.films.holds(film, request) and self.opened.files.has_pixels(sha256)

    def keep(self, film: FilmToKeep, explanation: Explanation, request: str) -> bool:
        """Keeps a film and what was said of it; the database last, so that what it names is on the disk.

        Args:
            film: From `film_to_keep`.
            explanation: What was said.
            request: Digest of all that decides what is said.

        Returns:
            Whether the explanation is new.

        Raises:
            InputError: Another film of the same UID is kept already (code `duplicate-uid`), or its file is gone.
            OutputError: The disk refuses the film.
            StoreError: The database cannot be used.
        """
        record, files = film.film, self.opened.files
        files.keep_pixels(record.sha256, film.pixels)
        path, data = film.path, film.data
        if film.path is not None and self.copies:
            path, data = None, file_bytes(film.path)
        source = files.keep_source(record.sha256, path, data)
        kept = KeptRadiograph(
            **{name: getattr(record, name) for name in KeptRadiograph.__dataclass_fields__ if name != "source"},
            source=source,
        )
        now = self.clock()
        return self.opened.films.keep(
            film.study, kept, kept_explanation(explanation, request, self._card_sha256, now), now
        )


def film_to_keep(
    radiograph: Radiograph, context: SourceContext, zones: Zones, path: Path | None, data: bytes
) -> FilmToKeep:
    """Packs a film.

    Args:
        radiograph: The film.
        context: Its patient and study.
        zones: Where its anatomy lies.
        path: Where its DICOM file lies by itself; None where a copy has to be kept.
        data: That file.
    """
    packed = pack_film(radiograph.pixels)
    attributes: dict[str, Any] = {**context.attributes(), "film": dict(radiograph.attributes)}
    identity = context.identity
    study = _study(identity, attributes)
    film = KeptRadiograph(
        id=Identity.folder_name(identity.sop_instance_uid),
        study_id=study.id,
        uid=identity.sop_instance_uid,
        sha256=context.sha256,
        source="",
        view=radiograph.view.value,
        display=display_record(radiograph, packed),
        attributes=attributes,
        zones=pack_zones(zones),
    )
    return FilmToKeep(study, film, packed.data, path, b"" if path else data)


def card_digest(card: ModelCard) -> str:
    """SHA-256 of a card: thresholds, region rules and scales."""
    return hashlib.sha256(card_to_json(card).encode("utf-8")).hexdigest()


def kept_explanation(explanation: Explanation, request: str, card_sha256: str, now: float) -> KeptExplanation:
    """An explanation as a store keeps it."""
    created = explanation.created.timestamp() if explanation.created else now
    return KeptExplanation(
        request=request,
        card_sha256=card_sha256,
        model=explanation.model.name,
        version=explanation.model.version,
        weights_sha256=explanation.model.weights_sha256,
        method=explanation.method,
        flagged=explanation.out_of_distribution.flagged,
        rank=rank(explanation),
        findings=tuple(
            KeptFinding(one.name, one.probability, one.threshold, margin(one), one.present)
            for one in explanation.findings
        ),
        packed=pack_content(explanation_text(explanation).rstrip().encode("utf-8")),
        created=created,
    )


def display_record(radiograph: Radiograph, packed: PackedFilm) -> dict[str, Any]:
    """All that a viewer needs to know to show a film's packed pixels, as JSON values."""
    window, spacing = radiograph.window, radiograph.spacing
    return {
        "rows": packed.rows,
        "columns": packed.columns,
        "slope": packed.slope,
        "intercept": packed.intercept,
        "error": packed.error,
        "window": {
            "function": str(window.function),
            "center": window.center,
            "width": window.width,
            "table": None if window.table is None else pack_table(window.table),
            "first_mapped": window.first_mapped,
            "mirror": window.mirror,
            "source": window.source,
        },
        "spacing": None
        if spacing is None
        else {"row": spacing.row, "column": spacing.column, "at_patient": spacing.at_patient},
        "aspect": radiograph.pixel_aspect,
        "orientation": list(radiograph.patient_orientation),
        "laterality": radiograph.laterality,
        "steps": list(radiograph.steps),
    }


def _study(identity: Identity, attributes: dict[str, Any]) -> Study:
    def text(keyword: str) -> str:
        value = attributes.get(keyword, "")
        return value if isinstance(value, str) else " ".join(value)

    return Study(
        id=Identity.folder_name(identity.study_instance_uid),
        uid=identity.study_instance_uid,
        patient_id=text("PatientID"),
        issuer=text("IssuerOfPatientID"),
        patient_name=text("PatientName"),
        accession_number=text("AccessionNumber"),
        study_date=text("StudyDate"),
        description=text("StudyDescription"),
    )
