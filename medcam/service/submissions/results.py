"""What a submission came to, film by film: explanations, pictures at any size, and DICOM objects."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from medcam.core.errors import InputError
from medcam.core.radiograph import Radiograph
from medcam.overlay.blend import STRONGEST
from medcam.overlay.film import Film
from medcam.overlay.overlay import draw_overlay
from medcam.overlay.png import encode_png
from medcam.service.annotate.instance_output import OBJECTS
from medcam.service.annotate.pictures import requested_findings
from medcam.service.explanations.explanation_json import FILE_NAME, read_explanation
from medcam.service.submissions.held_films import HeldFilms
from medcam.service.submissions.submission import SubmissionFolder

_FILM = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Look:
    """How a map is laid over a film.

    Args:
        threshold: Values up to it are not coloured, in logit units per cell; None for that of the model's region rule.
        opacity: Of the colours at full scale, 0 to 1.
        size: Pixels along the longer side of the film.
        signed: Whether evidence against is coloured too.
    """

    threshold: float | None = None
    opacity: float = STRONGEST
    size: int = 1024
    signed: bool = False


@dataclass(frozen=True, eq=False)
class SubmissionResults:
    """Results of one submission, as far as it is.

    Args:
        folder: Where it lies.
    """

    folder: SubmissionFolder = field(repr=False)

    def films(self) -> list[str]:
        """Ids of the films that are explained, each 16 hexadecimal digits, in order."""
        return sorted(path.parent.name for path in self.folder.results.glob(f"*/*/{FILE_NAME}"))

    def explanation(self, film: str) -> bytes:
        """`explanation.json` of a film.

        Raises:
            InputError: There is none (code `no-such-film`).
        """
        return _bytes(self._instance(film) / FILE_NAME)

    def object(self, film: str, name: str) -> bytes:
        """A DICOM object of a film.

        Args:
            film: Its id.
            name: File name as `medcam annotate` writes it, such as "sc.dcm".

        Raises:
            InputError: There is no such film, or the object was not made (codes `no-such-film`, `not-made`).
        """
        path = self._instance(film) / name
        if name not in OBJECTS or not path.is_file():
            raise InputError(
                "this object was not made for this film",
                code="not-made",
                next_step="Ask for it in `outputs`; seg, ko and gsps exist only where a finding is present.",
            )
        return _bytes(path)

    def overlay(self, film: str, finding: str, look: Look, read: Callable[[bytes, str], Radiograph]) -> bytes:
        """A picture of a finding on its film, PNG.

        Args:
            film: Its id.
            finding: Name of the finding, in any spelling that names it.
            look: How it is drawn.
            read: Decodes a DICOM file, which is not trusted.

        Raises:
            InputError: There is no such film, or it was let go of.
            UsageError: The model has no such finding (code `no-such-finding`).
        """
        explanation = read_explanation(self._instance(film) / FILE_NAME)
        held = HeldFilms(self.folder.films)
        card = held.card()
        [name] = requested_findings([finding], card)
        one = held.one(explanation.source.sha256)
        radiograph = read(held.source(one, self.folder.inputs), one.source or "film.dcm")
        picture = draw_overlay(
            Film.of(radiograph, look.size),
            explanation.finding(name),
            card=next(each for each in card.findings if each.name == name),
            model=explanation.model,
            ood=explanation.out_of_distribution,
            signed=look.signed,
            threshold=look.threshold,
            opacity=look.opacity,
        )
        return encode_png(picture)

    def _instance(self, film: str) -> Path:
        found = None
        if _FILM.fullmatch(film):
            found = next(self.folder.results.glob(f"*/{film}/{FILE_NAME}"), None)
        if found is None:
            raise InputError(
                "there is no such film in this submission, or it is not explained yet",
                code="no-such-film",
                next_step="The status of the submission lists the films that are explained.",
            )
        return found.parent


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            "this film has been let go of", code="film-not-kept", next_step="Hand the file in again."
        ) from error
