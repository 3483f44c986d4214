"""Fitting a probe to films: what is refused, what is saved, and that it works beside the model."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from medcam.core.errors import MedcamError
from medcam.models.probes.linear import LinearSettings
from medcam.models.registry import load_model
from medcam.service.explain import explain
from medcam.service.probes.films import film_features, named_films
from medcam.service.probes.fit import FEWEST, ProbeRequest, fit_probe, held_logits


@pytest.fixture
def request_(tiny_model_folder: Path) -> ProbeRequest:
    return ProbeRequest("bright square", model=str(tiny_model_folder), command="medcam probe fit")


def test_a_probe_is_saved_and_explains_beside_the_model(sides: Path, home: Path, request_: ProbeRequest) -> None:
    report = fit_probe(named_films(sides / "with"), named_films(sides / "without"), request_)
    card = report.card
    assert (card.positives, card.negatives, card.patients) == (8, 8, 16)
    assert card.training_command == "medcam probe fit"
    assert 0.0 <= card.finding.performance["auc"].value <= 1.0
    assert report.folder == home / "bright square"
    assert report.skipped == {}

    both = load_model(f"{request_.model}+bright square")
    explanation = explain(sides / "with" / "0.dcm", both, allow_out_of_distribution=True)
    finding = explanation.findings[-1]
    assert finding.name == "bright square"
    assert finding.map.values.mean() + finding.map.bias == pytest.approx(finding.logit, abs=1e-4)
    alone = explain(sides / "with" / "0.dcm", load_model(request_.model), allow_out_of_distribution=True)
    assert [each.logit for each in explanation.findings[:-1]] == [each.logit for each in alone.findings]


def test_the_logits_of_films_are_those_of_their_pooled_features(
    sides: Path, home: Path, request_: ProbeRequest
) -> None:
    report = fit_probe(named_films(sides / "with"), named_films(sides / "without"), request_)
    both = load_model(f"{request_.model}+bright square")
    film = explain(sides / "without" / "3.dcm", both, allow_out_of_distribution=True).findings[-1]
    features = film_features(named_films(sides / "without"), load_model(request_.model), [report.card.layer])
    place = [each.name for each in features.films].index("3.dcm")
    [probe] = both.probes  # type: ignore[attr-defined]
    assert film.logit == pytest.approx(float(probe.logits(features.pooled[report.card.layer])[place]), abs=1e-3)


def test_figures_come_from_films_that_were_held_back() -> None:
    rng = np.random.default_rng(0)
    noise, labels = rng.normal(size=(60, 200)), np.repeat([0, 1], 30)
    patients = np.array([str(number) for number in range(60)])
    held = held_logits(noise, labels, patients, LinearSettings())
    # Two hundred features of noise separate sixty films without an error, unless they are held back.
    assert roc_auc_score(labels, held) < 0.75


def test_tables_and_pictures_name_films_too(sides: Path, tmp_path: Path) -> None:
    Image.fromarray(np.zeros((40, 40), np.uint8)).save(tmp_path / "film.png")
    with (tmp_path / "table.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerows([("image", "patient_id"), ("film.png", "7")])
    [film] = named_films(tmp_path / "table.csv")
    assert (film.path, film.patient) == (tmp_path / "film.png", "7")
    assert [each.name for each in named_films(tmp_path)] == ["film.png"]
    assert all(each.name.endswith(".dcm") for each in named_films(sides))


def test_pictures_beside_dicom_files_are_no_films(tmp_path: Path, sides: Path) -> None:
    (tmp_path / "film.dcm").write_bytes((sides / "with" / "0.dcm").read_bytes())
    Image.fromarray(np.zeros((40, 40), np.uint8)).save(tmp_path / "mask.png")
    assert [each.name for each in named_films(tmp_path)] == ["film.dcm"]


def test_films_that_cannot_be_read_are_left_out_and_told(
    sides: Path, home: Path, request_: ProbeRequest, tmp_path: Path
) -> None:
    folder = tmp_path / "some"
    folder.mkdir()
    for path in (sides / "with").iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "broken.dcm").write_bytes(b"no film")
    report = fit_probe(named_films(folder), named_films(sides / "without"), request_)
    assert set(report.skipped) == {"broken.dcm"}
    assert report.card.positives == 8


@pytest.mark.parametrize("name", ["", "--", "a/b", "a+b", ".hidden", " x", "Nodule", "nodule", "phantom", "n" * 70])
def test_names_that_clash_or_are_none_are_refused(sides: Path, home: Path, request_: ProbeRequest, name: str) -> None:
    with pytest.raises(MedcamError) as error:
        fit_probe(named_films(sides / "with"), named_films(sides / "without"), replace(request_, name=name))
    assert error.value.code == "probe-name"
    assert not home.exists()


def test_a_probe_is_replaced_only_when_told(sides: Path, home: Path, request_: ProbeRequest) -> None:
    present, absent = named_films(sides / "with"), named_films(sides / "without")
    fit_probe(present, absent, request_)
    with pytest.raises(MedcamError, match="--replace"):
        fit_probe(present, absent, request_)
    again = fit_probe(present, absent, replace(request_, replace=True, method="logistic"))
    assert again.card.method == "logistic"


def test_a_film_on_both_sides_is_refused(sides: Path, home: Path, request_: ProbeRequest) -> None:
    films = named_films(sides / "with")
    with pytest.raises(MedcamError) as error:
        fit_probe(films, [*named_films(sides / "without"), films[0]], request_)
    assert error.value.code == "probe-films"


def test_too_few_patients_are_refused(sides: Path, home: Path, request_: ProbeRequest) -> None:
    few = [replace(film, patient="one") for film in named_films(sides / "with")]
    with pytest.raises(MedcamError) as error:
        fit_probe(few, named_films(sides / "without"), request_)
    assert error.value.code == "probe-films"
    assert f"{FEWEST} of each" in error.value.message


def test_a_layer_that_is_not_there_is_refused_first(home: Path, request_: ProbeRequest, tmp_path: Path) -> None:
    with pytest.raises(MedcamError) as error:
        fit_probe([], [], replace(request_, layer="nowhere"))
    assert error.value.code == "probe-layer"


@pytest.mark.parametrize(("source", "code"), [("nothing", "no-such-source"), ("empty", "empty-cohort")])
def test_sources_without_films_are_refused(tmp_path: Path, source: str, code: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(MedcamError) as error:
        named_films(tmp_path / source)
    assert error.value.code == code
