import numpy as np
import pytest

from medcam.core.errors import UsageError
from medcam.evaluate.faithfulness.curves import SHARES
from medcam.evaluate.faithfulness.grid import cell_means, pixels_of
from medcam.evaluate.faithfulness.record import FaithfulnessRecord
from medcam.models.registry import load_model
from medcam.service.evaluation.erased import HEALTHY, LINEAR, MEAN, Eraser
from medcam.service.evaluation.faithful_looks import CELLS, FINDING, TOP_TENTH, look
from medcam.service.evaluation.faithfulness import CENTRE, RANDOM, evaluate_faithfulness, write_faithfulness
from medcam.service.evaluation.judged_films import JudgedFilm, judged_films
from tests.unit.service.evaluation.test_shortcuts import SIDE, Linear, mask_of

PLACE = (slice(8, 16), slice(16, 24))


def linear_film(model) -> JudgedFilm:
    pixels = np.random.default_rng(4).random((SIDE, SIDE)).astype(np.float32)
    healthy = pixels.copy()
    healthy[PLACE] = 0.0
    return JudgedFilm("film", "patient", 1, None, pixels[None], healthy[None], mask_of((slice(24, 40), slice(24, 40))))


def test_of_a_linear_model_the_order_of_its_terms_is_best_and_its_ledger_right():
    model = Linear()
    film = linear_film(model)
    terms = cell_means((film.inputs[0] - film.inputs.mean()) * model.weights[1], CELLS, CELLS)
    maps = {"terms": terms, "turned": -terms, "none": np.random.default_rng(0).random((CELLS, CELLS))}

    seen = look(model, film, maps, (MEAN,), seed=0)

    assert seen.sensitivity["terms", 16] == pytest.approx(1.0, abs=1e-4)
    assert seen.sensitivity["turned", 16] == pytest.approx(-1.0, abs=1e-4)
    assert seen.infidelity["terms"] == pytest.approx(0.0, abs=1e-6)
    gains = {name: seen.areas[name, MEAN].insertion - seen.areas[name, MEAN].deletion for name in maps}
    assert gains["terms"] > gains["none"] > gains["turned"]
    assert gains["terms"] == pytest.approx(-gains["turned"], abs=1e-9)


def test_a_ledger_without_receptive_field_is_right_where_the_fill_says_nothing():
    model = Linear()
    film = linear_film(model)
    dark = JudgedFilm("film", "patient", 1, None, film.inputs, np.zeros_like(film.inputs), film.mask)

    seen = look(model, dark, {}, (HEALTHY,), seed=0)

    for region in (FINDING, TOP_TENTH):
        changed = seen.ledger[region, HEALTHY]
        assert changed.predicted == pytest.approx(changed.true, abs=2e-3)
    assert seen.ledger[FINDING, HEALTHY].predicted < -0.5


def test_erasing_leaves_the_rest_to_the_bit():
    film = linear_film(Linear())
    eraser = Eraser(film)
    mask = mask_of(PLACE)

    for fill in eraser.fills:
        changed = eraser.without(mask, fill)
        assert (changed[0][~mask] == film.inputs[0][~mask]).all()
        assert (changed[0][mask] != film.inputs[0][mask]).any()
    assert (eraser.without(mask, HEALTHY)[0][mask] == 0.0).all()
    everything = np.ones((SIDE, SIDE), dtype=bool)
    assert (eraser.without(everything, LINEAR) == eraser.without(everything, MEAN)).all()


def test_large_films_are_imputed_on_a_coarser_grid():
    ramp = np.add.outer(np.arange(320.0), np.arange(320.0)).astype(np.float32)[None] / 640.0
    mask = np.zeros((320, 320), dtype=bool)
    mask[100:140, 60:120] = True

    filled = Eraser(JudgedFilm("film", "patient", 0, None, ramp)).without(mask, LINEAR)

    assert np.abs(filled - ramp)[0][mask].max() < 0.05


def test_on_phantoms_the_healthy_patient_differs_where_the_finding_is(tiny_model_folder):
    film = next(iter(judged_films(load_model(tiny_model_folder), "phantoms", 1, 0)))
    difference = np.abs(film.healthy - film.inputs)[0]

    assert difference[film.mask].mean() > 3.0 * difference[~film.mask].mean()
    assert film.mask.any()


def test_cells_and_pixels():
    values = np.arange(36.0).reshape(6, 6)

    assert cell_means(values, 3, 2) == pytest.approx(values.reshape(3, 2, 2, 3).mean(axis=(1, 3)))
    assert cell_means(values, 4, 5).mean() == pytest.approx(values.mean())
    assert pixels_of(np.array([[True, False]]), 4, 6).sum() == 12


def test_a_record_of_a_model(tiny_model_folder, tmp_path):
    record = evaluate_faithfulness(tiny_model_folder, methods=("cam", "guided-backprop"), fills=("mean",), films=3)

    assert {row.method for row in record.curves} == {"cam", "guided-backprop", RANDOM, CENTRE}
    assert {row.method for row in record.curves if row.control} == {"guided-backprop", RANDOM, CENTRE}
    assert record.films == 3
    assert record.exact
    assert {(row.region, row.fill) for row in record.ledger} == {(FINDING, "mean"), (TOP_TENTH, "mean")}
    for row in record.curves:
        assert row.difference.value == pytest.approx(row.insertion.value - row.deletion.value)
    assert all(row.beyond_random.value == 0.0 for row in record.curves if row.method == RANDOM)
    write_faithfulness(record, tmp_path / "faithfulness.json")
    assert FaithfulnessRecord.from_json((tmp_path / "faithfulness.json").read_text(encoding="utf-8")) == record
    assert SHARES[0] == 0.0


def test_what_is_unknown_is_refused(tiny_model_folder, tmp_path):
    with pytest.raises(UsageError):
        evaluate_faithfulness(tiny_model_folder, fills=("snow",), films=2)
    with pytest.raises(UsageError):
        evaluate_faithfulness(tiny_model_folder, methods=("no-such",), films=2)
