"""Performance and drift from what a results folder and a store hold."""

from __future__ import annotations

import csv
import json
from datetime import date

import numpy as np
import pytest
from typer.testing import CliRunner

from medcam.cli.main import app
from medcam.core.errors import UsageError
from medcam.dicom import load_radiograph
from medcam.phantom import FINDINGS
from medcam.service.annotate.options import AnnotateOptions, Output
from medcam.service.annotate.run import annotate
from medcam.service.evaluation.drift import measure_drift, period_films
from medcam.service.evaluation.labels import read_labels
from medcam.service.evaluation.observed import observe
from medcam.service.evaluation.observed_film import age_in_years
from medcam.service.evaluation.performance import age_band, measure_performance


@pytest.fixture(scope="module")
def records(phantom_dicom, tiny_model_folder, tmp_path_factory):
    """A results folder and a store of the same three films, side by side."""
    folder = tmp_path_factory.mktemp("records")
    options = AnnotateOptions(
        model=str(tiny_model_folder), outputs=(Output.JSON,), workers=1, engine="torch", store=str(folder / "store")
    )
    annotate([phantom_dicom], folder / "out", options)
    return folder


@pytest.fixture(scope="module")
def table(phantoms, tmp_path_factory):
    path = tmp_path_factory.mktemp("truth") / "labels.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["image", "patient_id", "sex", "age", "ward", "heart large", *FINDINGS[1:]])
        for number, phantom in enumerate(phantoms):
            names = [finding.name for finding in phantom.truths]
            judged = ["" if name == "Mass" else int(name in names) for name in FINDINGS]
            rows.writerow(
                [
                    f"sub/film-{number}.dcm",
                    f"p{number}",
                    phantom.sex,
                    30 + 30 * number,
                    ("north", "south")[number % 2],
                    *judged,
                ]
            )
    return path


def test_both_kinds_of_record_say_the_same(records, phantom_dicom, phantoms):
    folder = observe(str(records / "out"), [str(phantom_dicom)])
    store = observe(str(records / "store"))

    assert (folder.kind, store.kind) == ("results", "store")
    assert folder.model == store.model
    by_uid = {film.uid: film for film in store.films}
    for film in folder.films:
        same = by_uid[film.uid]
        assert (film.patient, film.attributes, film.age) == (same.patient, same.attributes, same.age)
        assert film.findings == same.findings
        assert film.source() == same.source()
        np.testing.assert_array_equal(film.explanation().features, same.explanation().features)
        assert film.explanation().source.identity.sop_instance_uid == film.uid
    uids = {
        load_radiograph(phantom_dicom / f"film-{n}.dcm").identity.sop_instance_uid: p for n, p in enumerate(phantoms)
    }
    assert all(film.attributes["sex"] == uids[film.uid].sex for film in folder.films)
    assert all(film.age == uids[film.uid].age_years for film in folder.films)


def test_without_the_films_a_results_folder_knows_the_view_alone(records):
    assert {tuple(film.attributes) for film in observe(str(records / "out")).films} == {("view",)}


def test_a_period_is_cut_by_day(records):
    with pytest.raises(UsageError) as caught:
        observe(str(records / "store"), until=date(1990, 1, 1))
    assert caught.value.code == "nothing-observed"
    assert len(observe(str(records / "out"), since=date(1990, 1, 1)).films) == 3


def test_a_table_of_labels_brings_patients_groups_and_other_names(table):
    labels = read_labels(table, {"heart large": "Cardiomegaly"})
    film = labels.films["film-1"]

    assert film.patient == "p1"
    assert film.attributes["ward"] == "south"
    assert film.age == 60.0
    assert set(film.labels) == set(FINDINGS) - {"Mass"}
    with pytest.raises(UsageError):
        read_labels(table.parent / "none.csv")


def test_performance_counts_the_films_that_both_have(records, table):
    observed = observe(str(records / "out"))
    measured = measure_performance(observed, read_labels(table, {"heart large": "Cardiomegaly"}))

    assert (measured.films, measured.patients, measured.without_truth, measured.without_record) == (3, 3, 0, 0)
    assert measured.unjudged == ("Mass",)
    assert {"ward", "age"} <= set(measured.attributes)
    assert set(measured.findings["Nodule"].groups["age"]) == {"18-39", "60-79", "80+"}
    content = json.loads(json.dumps(measured.as_dict(), allow_nan=False))
    assert content["findings"]["Nodule"]["groups"]["ward"]["north"]["small"] is True
    unnamed = measure_performance(observed, read_labels(table))
    assert unnamed.not_shown == ("heart large",)


def test_a_truth_of_other_films_is_refused(records, table, tmp_path):
    other = tmp_path / "labels.csv"
    other.write_text(table.read_text().replace("film-", "other-"))
    with pytest.raises(UsageError) as caught:
        measure_performance(observe(str(records / "out")), read_labels(other))
    assert caught.value.code == "nothing-to-measure"


def test_a_patient_counts_once_per_period(records):
    films = observe(str(records / "store")).films
    period = period_films((*films, *films))
    assert period.films == len({film.patient for film in films})
    assert len(period.features) == period.films


def test_drift_wants_one_model_and_says_what_it_could_not_test(records, phantom_dicom, strict_model_folder, tmp_path):
    out = observe(str(records / "out"))
    found = measure_drift(out, observe(str(records / "store"))).as_dict()

    assert not any(found["drifted"].values())
    assert found["untested"]["input: features"].endswith("films in a period, 10 are needed")
    assert found["untested"]["score: Nodule"] == "1 films in a period, 10 are needed"
    json.dumps(found, allow_nan=False)
    options = AnnotateOptions(model=str(strict_model_folder), outputs=(Output.JSON,), workers=1, engine="torch")
    annotate([phantom_dicom], tmp_path / "other", options)
    with pytest.raises(UsageError) as caught:
        measure_drift(out, observe(str(tmp_path / "other")))
    assert caught.value.code == "other-model"


def test_the_commands_print_and_write_their_figures(records, table, tmp_path):
    def run(*words):
        return CliRunner().invoke(app, ["evaluate", *map(str, words)])

    shown = run("performance", records / "out", "--truth", table, "--out", tmp_path / "deep" / "performance.json")
    assert shown.exit_code == 0, shown.output
    assert "Nodule *" in shown.stdout
    assert json.loads((tmp_path / "deep" / "performance.json").read_text())["films"] == 3
    assert isinstance(run("performance", records / "out").exception, UsageError)
    drifted = run("drift", "--before", records / "out", "--after", records / "store", "--json")
    assert (drifted.exit_code, json.loads(drifted.stdout)["tests"]) == (0, [])
    assert "Not tested" in run("drift", "--before", records / "out", "--after", records / "out").stdout
    assert isinstance(run("drift", "--before", records / "out").exception, UsageError)
    assert isinstance(run("drift", "--before", records / "store", "--split", "soon").exception, UsageError)


@pytest.mark.parametrize(("text", "years"), [("048Y", 48.0), ("006M", 0.5), ("61", 61.0), ("", None), ("old", None)])
def test_ages_are_read(text, years):
    assert age_in_years(text) == years


@pytest.mark.parametrize(("years", "band"), [(0.5, "0-17"), (18, "18-39"), (59.9, "40-59"), (80, "80+"), (103, "80+")])
def test_ages_have_bands(years, band):
    assert age_band(years) == band
