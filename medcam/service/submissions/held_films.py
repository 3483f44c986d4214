"""Films of a submission as files: all that a viewer and a store need of them, without a database.

FILMS/<digest>.film     packed pixels
FILMS/<digest>.json     study, film, explanation and where the DICOM file lies
FILMS/model.json        the model's card
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from medcam.core.card import ModelCard
from medcam.core.errors import InputError, InvalidValueError
from medcam.core.explanation import Explanation
from medcam.core.radiograph import Identity
from medcam.core.study import Study
from medcam.models.card_json import card_from_json, card_to_json
from medcam.service.atomic import write_text
from medcam.service.explanations.explanation_json import explanation_text
from medcam.service.output_errors import writing
from medcam.service.studies.keep import FilmToKeep, card_digest, kept_explanation
from medcam.service.submissions.submission import read_json
from medcam.store import KeptExplanation, KeptModel, KeptRadiograph

_DIGEST = re.compile(r"[0-9a-f]{64}")
_CARD = "model.json"


@dataclass(frozen=True, eq=False)
class HeldFilm:
    """A film of a submission, read again.

    Args:
        study: Its study.
        film: Its record.
        explanation: What was said of it, as `explanation.json` has it.
        request: Digest of all that decides what is said.
        source: Name of the file among the inputs; empty where it lay in an archive.
    """

    study: Study = field(repr=False)
    film: KeptRadiograph = field(repr=False)
    explanation: dict[str, Any] = field(repr=False)
    request: str
    source: str


@dataclass(frozen=True, slots=True)
class HeldFilms:
    """The films of one submission. What `annotate` finds may be kept from several threads.

    Args:
        folder: Where they lie; made when the first one comes.
    """

    folder: Path = field(repr=False)

    def keep_card(self, card: ModelCard) -> None:
        """Keeps the card of the model that speaks, before it does.

        Raises:
            OutputError: The disk refuses it.
        """
        with writing():
            self.folder.mkdir(parents=True, exist_ok=True)
            write_text(self.folder / _CARD, card_to_json(card))

    def card(self) -> ModelCard:
        """The card of the model.

        Raises:
            InputError: It is not there (code `no-such-model-card`).
        """
        try:
            return card_from_json((self.folder / _CARD).read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError("the card of this model is not there", code="no-such-model-card") from error

    def holds(self, identity: Identity, sha256: str, request: str) -> bool:
        """Whether a film's explanation for a request is here, and its pixels too."""
        return self.has_pixels(sha256) and read_json(self._path(sha256, ".json")).get("request") == request

    def keep(self, film: FilmToKeep, explanation: Explanation, request: str) -> bool:
        """Keeps a film and what was said of it, the record last; whether it is new.

        Raises:
            OutputError: The disk refuses it.
        """
        record = film.film
        fields = {
            "study": asdict(film.study),
            "film": {
                **{name: getattr(record, name) for name in KeptRadiograph.__dataclass_fields__},
                "zones": None if record.zones is None else base64.b64encode(record.zones).decode("ascii"),
            },
            "request": request,
            "source": film.path.name if film.path else "",
        }
        path, said = self._path(record.sha256, ".json"), explanation_text(explanation)
        new = not path.exists()
        with writing():
            self.folder.mkdir(parents=True, exist_ok=True)
            self._path(record.sha256, ".film").write_bytes(film.pixels)
            if film.data:
                self._path(record.sha256, ".dcm").write_bytes(film.data)
            write_text(path, f'{json.dumps(fields, allow_nan=False)[:-1]}, "explanation": {said}}}')
        return new

    def any(self) -> bool:
        """Whether there is one."""
        return next((path for path in self.folder.glob("*.json") if path.name != _CARD), None) is not None

    def all(self) -> list[HeldFilm]:
        """The films, by study and then by the order of their digests.

        Raises:
            InputError: A record is damaged (code `damaged-submission`).
        """
        paths = [path for path in sorted(self.folder.glob("*.json")) if path.name != _CARD]
        return sorted((self._read(path) for path in paths), key=lambda held: held.study.id)

    def one(self, sha256: str) -> HeldFilm:
        """The film of a DICOM file's digest.

        Raises:
            InputError: It is not here, or its record is damaged (code `damaged-submission`).
        """
        return self._read(self._path(sha256, ".json"))

    def has_pixels(self, sha256: str) -> bool:
        """Whether packed pixels of a film are here."""
        return self._path(sha256, ".film").is_file()

    def pixels(self, sha256: str) -> bytes:
        """Packed pixels of a film.

        Raises:
            InputError: They are not here (code `film-not-kept`).
        """
        return self._bytes(self._path(sha256, ".film"))

    def source(self, held: HeldFilm, inputs: Path) -> bytes:
        """The DICOM file of a film.

        Args:
            held: The film.
            inputs: The files of its submission.

        Raises:
            InputError: It is not here (code `film-not-kept`).
        """
        return self._bytes(inputs / held.source if held.source else self._path(held.film.sha256, ".dcm"))

    def _path(self, sha256: str, suffix: str) -> Path:
        if not _DIGEST.fullmatch(sha256):
            raise InvalidValueError("a digest has 64 hexadecimal digits")
        return self.folder / f"{sha256}{suffix}"

    def _bytes(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise InputError(
                "this film has been let go of", code="film-not-kept", next_step="Hand the file in again."
            ) from error

    def _read(self, path: Path) -> HeldFilm:
        fields = read_json(path)
        try:
            film = fields["film"]
            zones = film["zones"]
            kept = KeptRadiograph(**{**film, "zones": None if zones is None else base64.b64decode(zones)})
            study = Study(**fields["study"])
            return HeldFilm(study, kept, fields["explanation"], str(fields["request"]), str(fields["source"]))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                "the record of a film cannot be read", code="damaged-submission", next_step="Hand the files in again."
            ) from error


def said_of(held: HeldFilm, explanation: Explanation, card: ModelCard, now: float) -> KeptExplanation:
    """What was said of a film, as lists of a store have it.

    Args:
        held: The film.
        explanation: Its explanation, read.
        card: Of the model.
        now: Seconds since 1970 UTC.
    """
    return kept_explanation(explanation, held.request, card_digest(card), now)


def kept_model(card: ModelCard) -> KeptModel:
    """A model as a store has it."""
    return KeptModel(card_digest(card), card.name, card.version, card.weights_sha256, card_to_json(card))
