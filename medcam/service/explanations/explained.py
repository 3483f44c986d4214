"""An explanation that still holds its film, and so can draw and save itself."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path

from medcam.core.arrays import ByteArray
from medcam.core.card import ModelCard
from medcam.core.explanation import Explanation
from medcam.core.radiograph import Radiograph
from medcam.overlay.film import Film
from medcam.overlay.overlay import Scale, draw_overlay
from medcam.overlay.png import save_png
from medcam.service.annotate.instance_output import overlay_name
from medcam.service.annotate.pictures import PICTURE_SIDE, draw_overlays, findings_to_draw
from medcam.service.explanations.explanation_json import FILE_NAME, write_explanation
from medcam.service.explanations.notebook import explanation_html


@dataclass(frozen=True, eq=False, kw_only=True)
class ExplainedRadiograph(Explanation):
    """An `Explanation` with the film and the model card behind it. Research use. Not a medical device.

    Args:
        radiograph: The film.
        card: The card of the model that spoke.
    """

    radiograph: Radiograph = field(repr=False)
    card: ModelCard = field(repr=False)

    @classmethod
    def of(cls, explanation: Explanation, radiograph: Radiograph, card: ModelCard) -> ExplainedRadiograph:
        """Puts an explanation together with its film and card."""
        values = {entry.name: getattr(explanation, entry.name) for entry in fields(Explanation)}
        return cls(**values, radiograph=radiograph, card=card)

    def overlay(
        self, finding: str, *, long_side: int = PICTURE_SIDE, scale: Scale = "model", signed: bool = False
    ) -> ByteArray:
        """Draws a finding's map and regions on the film, with the numbers beside it.

        Args:
            finding: Its name, in any case, with spaces or hyphens.
            long_side: Pixels along the longer side of the film as drawn.
            scale: "model" for the colour scale that is the same for every film of the model, "image" for this film's.
            signed: Whether evidence against is coloured too.

        Returns:
            uint8 RGB [height, width, 3].

        Raises:
            UsageError: The model has no such finding.
            InvalidValueError: The long side is too short to show anything.
        """
        found = self.finding(finding)
        return draw_overlay(
            self.radiograph,
            found,
            card={card.name: card for card in self.card.findings}.get(found.name),
            model=self.model,
            ood=self.out_of_distribution,
            long_side=long_side,
            scale=scale,
            signed=signed,
        )

    def save(self, folder: Path | str, *, long_side: int = PICTURE_SIDE) -> Path:
        """Writes an `overlay-<finding>.png` per finding that is present (or the likeliest), `explanation.json` last.

        An explanation.json in the folder means that the pictures beside it are complete and belong to it: an older one
        goes first, and so do pictures of this model's findings that are not drawn this time.

        Args:
            folder: Where to; made if absent.
            long_side: Pixels along the longer side of the films as drawn.

        Returns:
            Path of explanation.json.

        Raises:
            OSError: The folder cannot be written.
        """
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        for stale in (FILE_NAME, *(overlay_name(finding.name) for finding in self.findings)):
            (target / stale).unlink(missing_ok=True)
        drawn = findings_to_draw(self, ())
        pictures = draw_overlays(Film.of(self.radiograph, long_side), self, drawn, self.card)
        for finding, picture in zip(drawn, pictures, strict=True):
            save_png(target / overlay_name(finding.name), picture)
        return write_explanation(target / FILE_NAME, self)

    def _repr_html_(self) -> str:
        return explanation_html(self, self.radiograph, self.card)
