from dataclasses import replace

import numpy as np
import pytest

from medcam.core.card import FindingCard, InputRecipe, ModelCard
from medcam.core.display import DisplayWindow
from medcam.core.geometry import Box, GridTransform
from medcam.core.prediction import Prediction
from medcam.core.protocols import ModelInput
from medcam.core.radiograph import Radiograph
from medcam.evaluate.shortcuts.fill import fill_in
from medcam.evaluate.shortcuts.record import Place, ShortcutRecord
from medcam.evaluate.shortcuts.rule import Severity
from medcam.service.evaluation.shortcut_films import ShortcutFilm
from medcam.service.evaluation.shortcut_looks import erased
from medcam.service.evaluation.shortcut_places import border, boxes_on_raster, disjoint, on_raster, raster_shape
from medcam.service.evaluation.shortcuts import judge_films, write_record

SIDE, CELL, FILMS = 64, 8, 60
CORNER, MIDDLE = (slice(4, 12), slice(48, 56)), (slice(24, 40), slice(24, 40))


def mask_of(place) -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), dtype=bool)
    mask[place] = True
    return mask


class Linear:
    """Logits linear in the film: one finding reads the corner where the marker stands, one the middle."""

    card = ModelCard("linear", "1", (FindingCard("Nodule"), FindingCard("Mass")), InputRecipe(SIDE, SIDE), "none")

    def __init__(self, reads_corner=1.0) -> None:
        self.weights = np.stack([reads_corner * mask_of(CORNER), 1.0 * mask_of(MIDDLE)]) * 0.05
        self.weights[0] += 0.02 * mask_of(MIDDLE)

    def prepare(self, radiograph) -> ModelInput:
        return ModelInput(radiograph.pixels[None], GridTransform.identity(SIDE, SIDE))

    def predict(self, inputs) -> Prediction:
        products = np.asarray(inputs)[:, 0][:, None] * self.weights
        cells = products.reshape(len(inputs), 2, SIDE // CELL, CELL, SIDE // CELL, CELL).sum(axis=(3, 5))
        maps = (cells * (SIDE // CELL) ** 2).astype(np.float32)
        biases = np.array([-1.0, -4.0], np.float32)
        logits = maps.mean(axis=(2, 3)) + biases
        return Prediction(logits=logits, maps=maps, biases=biases, features=np.zeros((len(inputs), 1), np.float32))

    def out_of_distribution(self, inputs, prediction):
        return None


def films(share=0.35):
    """Films with a bright marker in the corner on some, and a mass in the middle on others, independently."""
    rng = np.random.default_rng(0)
    for number in range(FILMS):
        pixels = rng.normal(0.5, 0.05, (SIDE, SIDE)).astype(np.float32)
        marked, sick = bool(rng.random() < share), bool(rng.random() < 0.5)
        if marked:
            pixels[CORNER] += 1.0
        if sick:
            pixels[MIDDLE] += 0.3
        places = {Place.BORDER: border(pixels, None, (SIDE, SIDE))}
        if marked:
            places[Place.MARKER] = mask_of(CORNER)
        yield ShortcutFilm(
            name=str(number),
            patient=str(number),
            radiograph=Radiograph(pixels, DisplayWindow()),
            places=disjoint(places),
            labels={"Nodule": int(marked), "Mass": int(sick)},
            attributes={"view": "AP" if marked else "PA", "sex": "F" if number % 2 else "M"},
            pathology=mask_of(MIDDLE) if sick else None,
            exact=True,
        )


@pytest.fixture(scope="module")
def record() -> ShortcutRecord:
    return judge_films(films(), Linear(), data="films")


def row(rows, finding, place):
    [found] = [each for each in rows if each.finding == finding and each.place is place]
    return found


def test_planted_evidence_at_a_marker_is_told_and_the_finding_beside_it_is_not(record):
    assert record.severity is Severity.HIGH
    assert [(each.finding, each.place) for each in record.shortcuts] == [("Nodule", Place.MARKER)]
    assert row(record.erasing, "Mass", Place.MARKER).severity is Severity.NONE
    assert record.exact == record.films == FILMS


def test_a_model_that_does_not_read_the_marker_is_told_of_nothing():
    clean = judge_films(films(), Linear(reads_corner=0.0))

    assert clean.shortcuts == ()
    assert clean.severity is Severity.NONE


def test_evidence_on_the_marker_is_many_times_what_its_area_would_have(record):
    evidence = row(record.evidence, "Nodule", Place.MARKER)

    assert evidence.area == pytest.approx(64 / SIDE**2)
    assert evidence.enrichment.low > 10
    # The mass reads nothing there, and no more than its share of the film.
    assert row(record.evidence, "Mass", Place.BORDER).share.value == pytest.approx(0.0, abs=1e-6)


def test_erasing_changes_a_linear_score_by_exactly_what_the_fill_says():
    model, film = Linear(), next(each for each in films() if Place.MARKER in each.places)
    mask, values = film.places[Place.MARKER], film.radiograph.pixels[None]

    before, after = model.predict(np.stack([values, erased(values, mask)])).logits[:, 0]

    exact = float((model.weights[0] * (fill_in(values[0], mask) - values[0])).sum())
    assert after - before == pytest.approx(exact, rel=1e-4)
    [judged] = [
        each for each in judge_films([film], model).erasing if (each.finding, each.place) == ("Nodule", Place.MARKER)
    ] or [None]
    assert judged is None  # one film has no spread to judge by


def test_the_change_that_is_reported_is_the_mean_over_films(record):
    model = Linear()
    changes = [
        float((model.weights[0] * (fill_in(f.radiograph.pixels, f.places[Place.MARKER]) - f.radiograph.pixels)).sum())
        for f in films()
        if Place.MARKER in f.places
    ]

    assert row(record.erasing, "Nodule", Place.MARKER).change.value == pytest.approx(np.mean(changes), rel=1e-3)


def test_attributes_that_the_score_follows_are_told_and_others_not(record):
    told = {(each.finding, each.attribute) for each in judge_films(unlabelled(), Linear()).associations if each.told}

    assert told == {("Nodule", "view")}
    # With labels the marker is the label itself: there is nothing left to compare.
    [view] = [each for each in record.associations if (each.finding, each.attribute) == ("Nodule", "view")]
    assert view.severity is Severity.UNKNOWN


def unlabelled():
    return (replace(film, labels={}) for film in films())


def test_devices_are_no_shortcut_to_support_devices():
    class Devices(Linear):
        card = replace(Linear.card, findings=(FindingCard("Support Devices"), FindingCard("Mass")))

    moved = (
        replace(f, places={Place.DEVICE if p is Place.MARKER else p: m for p, m in f.places.items()}) for f in films()
    )
    judged = judge_films(moved, Devices())

    assert ("Support Devices", Place.DEVICE) not in {(each.finding, each.place) for each in judged.erasing}
    assert ("Mass", Place.DEVICE) in {(each.finding, each.place) for each in judged.erasing}


def test_a_film_without_room_for_a_control_is_counted_in_a_note():
    full = np.ones((SIDE, SIDE), dtype=bool)
    crowded = [replace(f, places={Place.OUTSIDE: full & ~mask_of(CORNER)}) for f in films()]

    judged = judge_films(crowded, Linear())

    assert judged.erasing == ()
    assert "no room for a control" in judged.notes[0]


def test_the_record_is_written_whole(record, tmp_path):
    write_record(record, tmp_path / "record.json")

    assert ShortcutRecord.from_json((tmp_path / "record.json").read_text()) == record


def test_a_shutter_belongs_to_the_border_and_even_air_to_a_limit_only():
    pixels = np.random.default_rng(0).random((SIDE, SIDE)).astype(np.float32)
    pixels[:, :12] = 0.0

    found = border(pixels, None, (SIDE, SIDE))

    assert found[:, :12].all()
    assert found[:, -3:].all()
    assert not found[10:50, 14:60].any()
    # A film that is even throughout has no shutter: only its frame is left.
    assert border(np.zeros((SIDE, SIDE), np.float32), None, (SIDE, SIDE)).mean() < 0.2


def test_padding_belongs_to_the_border():
    padding = np.zeros((SIDE, SIDE), dtype=bool)
    padding[40:, :] = True
    pixels = np.random.default_rng(0).random((SIDE, SIDE)).astype(np.float32)

    assert border(pixels, padding, (SIDE, SIDE))[40:].all()


def test_the_first_place_that_claims_a_pixel_has_it():
    found = disjoint({Place.OUTSIDE: mask_of(np.s_[:10]), Place.MARKER: mask_of(CORNER), Place.TEXT: mask_of(CORNER)})

    assert set(found) == {Place.MARKER, Place.OUTSIDE}
    assert not (found[Place.MARKER] & found[Place.OUTSIDE]).any()


def test_small_things_are_not_lost_on_a_coarser_raster():
    mask = np.zeros((2048, 1024), dtype=bool)
    mask[1001, 333] = True
    shape = raster_shape(*mask.shape)

    assert shape == (512, 256)
    assert on_raster(mask, shape).sum() == 1
    assert boxes_on_raster([Box(333, 1001, 1, 1)], 2048, 1024, shape).any()
