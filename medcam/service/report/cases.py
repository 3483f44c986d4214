"""Best and worst cases of localisation as pictures: the film with its map, the truth outlined."""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import Image

from medcam.core.arrays import ByteArray
from medcam.core.codes import slug
from medcam.core.errors import MedcamError
from medcam.dicom.sandbox.pool import ReaderPool
from medcam.evaluate.place_scores import PlaceScore
from medcam.overlay.film import Film
from medcam.overlay.overlay import draw_film, draw_overlay
from medcam.service.evaluation.observed_film import ObservedFilm
from medcam.service.evaluation.true_places import key_of
from medcam.service.report.document import Picture
from medcam.service.report.inputs import ReportInputs, film_key

EACH = 3
SIDE = 640
_QUALITY = 88
_TRUTH = (0, 158, 115)


def case_pictures(inputs: ReportInputs) -> tuple[tuple[Picture, ...], str]:
    """Pictures of the films with the highest and the lowest IoU among those with a finding.

    Returns:
        The pictures, and why some are missing: empty where none is.
    """
    done, places = inputs.localisation, inputs.places
    if done is None or places is None:
        return (), ""
    films = {film_key(film, places.id): film for film in inputs.observed.films}
    scored = [
        (score.iou or 0.0, name, score)
        for name, scores in done.scores.items()
        for score in scores
        if score.share and film_key_of(score, inputs) in films
    ]
    scored.sort(key=lambda item: (-item[0], item[1], item[2].film))
    best, worst = scored[:EACH], scored[EACH:][-EACH:]
    made, failed = [], set()
    with ReaderPool(1) as readers:
        for word, group in (("best", best), ("worst", worst)):
            for number, (iou, name, score) in enumerate(group, start=1):
                key = film_key_of(score, inputs)
                try:
                    picture = _picture(inputs, films[key], name, key, readers)
                except MedcamError as error:
                    failed.add(error.code)
                    continue
                made.append(_jpeg(picture, f"{word} {number}: {name}, IoU {iou:.2f}, film {films[key].id}"))
    why = f"Pictures could not be drawn ({', '.join(sorted(failed))}): say with --source where the films lie."
    return tuple(made), why if failed else ""


def film_key_of(score: PlaceScore, inputs: ReportInputs) -> str:
    """The identifier of a scored film."""
    assert inputs.places is not None
    return key_of(score.film, inputs.places.id)


def _picture(inputs: ReportInputs, film: ObservedFilm, name: str, key: str, readers: ReaderPool) -> ByteArray:
    explanation = film.explanation()
    finding = next(one for one in explanation.findings if slug(one.name) == slug(name))
    cards = {card.name: card for card in inputs.card.findings} if inputs.card else {}
    drawn = Film.of(readers.radiograph(film.source(), film.name), SIDE)
    overlay = draw_overlay(
        drawn,
        finding,
        card=cards.get(finding.name),
        model=explanation.model,
        ood=explanation.out_of_distribution,
        scale="model" if finding.name in cards else "image",
    )
    source = explanation.source
    plain = _with_truth(draw_film(drawn), inputs, name, key, (source.rows, source.columns))
    height = max(plain.shape[0], overlay.shape[0])
    return np.concatenate([_padded(plain, height), _padded(overlay, height)], axis=1)


def _with_truth(picture: ByteArray, inputs: ReportInputs, name: str, key: str, source: tuple[int, int]) -> ByteArray:
    """The film with the outline of the truth; `source` is its height and width in the file."""
    assert inputs.places is not None
    shown = np.array(picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2), dtype=np.uint8)
    film = inputs.places.films[key]
    places = {slug(finding): place for finding, place in film.places.items()}
    mask = places[slug(name)].mask(film.height or source[0], film.width or source[1]).astype(np.uint8)
    fitted = cv2.resize(mask, (shown.shape[1], shown.shape[0]), interpolation=cv2.INTER_NEAREST)
    outlines, _ = cv2.findContours(fitted, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(shown, outlines, -1, _TRUTH, 2)
    return shown


def _padded(picture: ByteArray, height: int) -> ByteArray:
    return np.pad(picture, ((0, height - picture.shape[0]), (0, 0), (0, 0)))


def _jpeg(picture: ByteArray, caption: str) -> Picture:
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "JPEG", quality=_QUALITY)
    return Picture(data.getvalue(), picture.shape[1], picture.shape[0], f"{caption}. Left: the truth outlined.")
