"""Units over a cohort."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from medcam.core.card import FindingCard
from medcam.core.errors import MedcamError, ModelError, UsageError
from medcam.models.classifier import build_classifier
from medcam.models.files import save_model
from medcam.models.loaded import LoadedModel
from medcam.models.probes.card import ProbeCard
from medcam.models.probes.probe import Probe
from medcam.models.probes.probed import ProbedModel
from medcam.models.registry import load_model
from medcam.models.units import unit_maps, unit_weights
from medcam.service.evaluation import units
from medcam.service.evaluation.cohort import Cohort
from medcam.service.evaluation.units import evaluate_units


def test_contributions_and_bias_are_the_mean_logit(cohort_folder: Path, tiny_model_folder: Path) -> None:
    figures = evaluate_units(cohort_folder, tiny_model_folder, units=3, patches=2)
    assert figures.score == "logit"
    assert figures.films == 6
    model = load_model(tiny_model_folder)
    films = list(Cohort(cohort_folder))
    logits = model.predict(np.stack([model.prepare(film.radiograph).values for film in films])).logits
    for number, name in enumerate(model.card.finding_names):
        present = [place for place, film in enumerate(films) if film.labels[name] == 1]
        assert (name in figures.findings) == bool(present)
        if present:
            finding = figures.findings[name]
            assert finding.films == len(present)
            assert finding.score == pytest.approx(float(logits[present, number].mean()), abs=1e-3)
            assert len(finding.units) == 3
            assert all(len(unit.excited) == 2 for unit in finding.units)
    json.dumps(figures.as_dict())


def test_patches_are_where_the_unit_is_most_active(cohort_folder: Path, tiny_model_folder: Path) -> None:
    figures = evaluate_units(cohort_folder, tiny_model_folder, units=1, patches=1)
    model = load_model(tiny_model_folder)
    films = {film.name: film for film in Cohort(cohort_folder)}
    for finding in figures.findings.values():
        [unit] = finding.units
        [at] = unit.excited
        prepared = model.prepare(films[at.film].radiograph)
        map_ = unit_maps(model, prepared.values[None])[0, unit.share.unit]
        assert at.activation == pytest.approx(float(map_.max()))
        column, row = prepared.transform.resize(*map_.shape).to_grid(at.x, at.y)
        assert map_[int(row), int(column)] == map_.max()
        others = [
            float(unit_maps(model, model.prepare(film.radiograph).values[None])[0, unit.share.unit].max())
            for film in films.values()
        ]
        assert at.activation == pytest.approx(max(others))


def test_every_finding_gets_a_picture(cohort_folder: Path, tiny_model_folder: Path, tmp_path: Path) -> None:
    figures = evaluate_units(cohort_folder, tiny_model_folder, units=2, patches=2, out=tmp_path / "new")
    assert len(list((tmp_path / "new").glob("units-*.png"))) == len(figures.findings)


def test_a_model_with_a_unit_per_finding_is_read_below_it() -> None:
    model = load_model("phantom")
    weights = unit_weights(model)
    assert (weights.layer, weights.score) == ("neck", "unit")
    assert weights.weights.shape == (8, 32)


def test_nothing_is_asked_for_in_vain(cohort_folder: Path, tiny_model_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least one"):
        evaluate_units(cohort_folder, tiny_model_folder, units=0)
    (tmp_path / "file").write_text("")
    with pytest.raises(MedcamError):
        evaluate_units(cohort_folder, tiny_model_folder, units=1, patches=1, out=tmp_path / "file" / "x")


@pytest.mark.parametrize("head", ["gmp", "map-gmp", "lse", "pcam"])
def test_a_head_whose_logit_is_no_mean_is_refused(cohort_folder: Path, tiny_model, tmp_path: Path, head: str) -> None:
    card = replace(tiny_model.card, head=head)
    with torch.random.fork_rng():
        save_model(tmp_path, build_classifier(card), card)
    with pytest.raises(ModelError, match="the logit is") as raised:
        evaluate_units(cohort_folder, tmp_path)
    assert raised.value.code == "no-ledger"


def test_findings_of_probes_are_left_out(cohort_folder: Path, tiny_model, monkeypatch) -> None:
    digest = tiny_model.card.weights_sha256
    card = ProbeCard(FindingCard("sign"), "tiny", digest, "layer4", version="1", positives=2, negatives=2)
    probe = Probe(card, np.ones(8, np.float32), 99.0)
    model = ProbedModel(LoadedModel(tiny_model.network, tiny_model.card), [probe])
    monkeypatch.setattr(units, "load_model", lambda _: model)
    assert model.card.finding_names[-1] == "sign"
    assert set(evaluate_units(cohort_folder).findings) <= set(tiny_model.card.finding_names)
