"""A probe on real films: the shipped model saw phantoms alone, and its features tell effusions apart all the same."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from medcam.models.registry import load_model
from medcam.service.explain import explain
from medcam.service.probes.films import named_films, read_film
from medcam.service.probes.fit import ProbeRequest, fit_probe

FILMS = 40


@pytest.mark.usefixtures("home")
def test_effusions_are_found_by_features_of_phantoms(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "radiographs" / "nih"
    with (folder / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    sides = {
        "with": [row for row in rows if row["Effusion"] == "1"],
        "without": [row for row in rows if row["nih_labels"] == "No Finding"],
    }
    for name, chosen in sides.items():
        with (tmp_path / f"{name}.csv").open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(("image", "patient_id"))
            table.writerows((str(folder / row["image"]), row["patient_id"]) for row in chosen[:FILMS])
    present, absent = named_films(tmp_path / "with.csv"), named_films(tmp_path / "without.csv")
    card = fit_probe(present, absent, ProbeRequest("effusion seen")).card
    assert card.patients == len({film.patient for film in (*present, *absent)}) < 2 * FILMS
    assert card.finding.performance["auc"].low > 0.5
    finding = explain(read_film(present[0]), load_model("phantom+effusion seen")).findings[-1]
    assert finding.map.values.mean() + finding.map.bias == pytest.approx(finding.logit, abs=1e-4)
