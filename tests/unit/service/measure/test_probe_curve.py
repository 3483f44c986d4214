"""Learning curves: what is held out is not learnt, and probes find it by the features of what was."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from medcam.core.errors import UsageError
from medcam.models.training.films import Films
from medcam.phantom import FINDINGS
from medcam.service.measure import held_out, probe_curve
from medcam.service.measure.held_out import HeldOutPlan, held_out_model, without_findings
from medcam.service.measure.probe_curve import ProbeCurve, ProbeCurvePlan
from medcam.service.measure.probe_maps import auc_over_draws, share_over_draws
from medcam.service.training.phantom_films import PhantomFilms

HELD = ("Support Devices",)
PLAN = ProbeCurvePlan(
    HeldOutPlan(HELD, patients=24, size=64, epochs=1),
    counts=(4, 10, 500),
    draws=2,
    layers=("layer2", "neck"),
    pool=60,
    test=60,
)


def made_films(plan: PhantomFilms, folder: Path, *, workers: int = 2) -> Films:
    """Noise, with a bright square in a row of its own for each finding: quicker than phantoms."""
    assert workers >= 1
    assert folder.name
    rng = np.random.default_rng(plan.seed)
    labels = (rng.random((plan.count, len(FINDINGS))) < 0.3).astype(np.int8)
    images = rng.normal(size=(plan.count, plan.size, plan.size)).astype(np.float16)
    masks = np.zeros((plan.count, len(FINDINGS), plan.mask_size or 1, plan.mask_size or 1), dtype=np.bool_)
    for film, finding in np.argwhere(labels == 1):
        column = int(rng.integers(0, plan.size - 8))
        images[film, 8 * finding : 8 * finding + 8, column : column + 8] += 4
        step = plan.size // max(plan.mask_size, 1)
        if plan.mask_size:
            rows, columns = (
                slice(8 * finding // step, (8 * finding + 8) // step),
                slice(column // step, column // step + 4),
            )
            masks[film, finding, rows, columns] = True
    alone = np.full(plan.count, -1, dtype=np.int64)
    patients = 1000 * plan.seed + np.arange(plan.count)
    return Films(FINDINGS, images, labels, patients, alone, masks if plan.mask_size else None)


@pytest.fixture(scope="module")
def curve(tmp_path_factory: pytest.TempPathFactory) -> ProbeCurve:
    """A curve on the made films."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(held_out, "phantom_films", made_films)
        patch.setattr(probe_curve, "phantom_films", made_films)
        return probe_curve.probe_curve(PLAN, tmp_path_factory.mktemp("curve"))


def test_the_model_saw_no_film_with_the_finding(tmp_path: Path) -> None:
    films = made_films(PhantomFilms(3, 40, 64, (128,), mask_size=32), tmp_path)
    left = without_findings(films, HELD)
    place = FINDINGS.index(HELD[0])
    assert left.names == tuple(name for name in FINDINGS if name not in HELD)
    assert len(left) == int((films.labels[:, place] == 0).sum()) > 0
    kept = films.labels[:, place] == 0
    np.testing.assert_array_equal(left.labels, np.delete(films.labels[kept], place, axis=1))
    assert left.masks is not None
    assert left.masks.shape[:2] == left.labels.shape


def test_partners_go_where_their_film_went() -> None:
    labels = np.zeros((4, 2), dtype=np.int8)
    labels[0, 1] = labels[2, 0] = 1
    films = Films(
        ("Nodule", "Support Devices"),
        np.zeros((4, 8, 8), dtype=np.float16),
        labels,
        np.array([0, 0, 1, 1]),
        np.array([1, -1, 3, -1]),
    )
    left = without_findings(films, HELD)
    assert left.partners.tolist() == [-1, 2, -1]
    assert left.labels[:, 0].tolist() == [0, 1, 0]


def test_every_point_is_there_but_those_that_the_pool_cannot_fill(curve: ProbeCurve) -> None:
    assert set(curve.findings) == set(FINDINGS) - set(HELD)
    keys = {(point.layer, point.method, point.positives) for point in curve.points}
    assert keys == {(layer, method, n) for layer in PLAN.layers for method in ("svm", "logistic") for n in (4, 10)}
    assert all(point.negatives == 2 * point.positives and point.draws == 2 for point in curve.points)
    assert tuple(curve.channels) == PLAN.layers


def test_bright_squares_are_found_by_features_of_others(curve: ProbeCurve) -> None:
    best = max((point for point in curve.points if point.positives == 10), key=lambda point: point.auc.value)
    assert best.auc.low > 0.5
    assert all(point.auc.low <= point.auc.value <= point.auc.high for point in curve.points)
    assert 0.0 < curve.pointing_chance[HELD[0]] < 0.02


def test_figures_are_plain_values(curve: ProbeCurve) -> None:
    again = json.loads(json.dumps(curve.as_dict()))
    assert again["points"][0]["auc"]["value"] == curve.points[0].auc.value
    assert again["plan"]["model"]["findings"] == list(HELD)


def test_a_trained_model_is_taken_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_out, "phantom_films", made_films)
    first = held_out_model(PLAN.model, tmp_path)
    monkeypatch.setattr(held_out, "phantom_films", None)
    assert held_out_model(PLAN.model, tmp_path).card.weights_sha256 == first.card.weights_sha256


def test_plans_that_say_nothing_are_refused() -> None:
    with pytest.raises(UsageError, match="held out"):
        HeldOutPlan(findings=FINDINGS)
    with pytest.raises(UsageError, match="32 divides"):
        HeldOutPlan(size=100)
    with pytest.raises(UsageError, match="at least 4"):
        ProbeCurvePlan(counts=(2,))
    with pytest.raises(UsageError, match="svm, logistic"):
        ProbeCurvePlan(methods=("forest",))


def test_a_finding_on_hardly_any_film_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_out, "phantom_films", made_films)
    monkeypatch.setattr(probe_curve, "phantom_films", made_films)
    with pytest.raises(UsageError, match="phantoms have Support Devices"):
        probe_curve.probe_curve(ProbeCurvePlan(PLAN.model, counts=(4,), pool=4, test=4), tmp_path)


def test_intervals_hold_the_spread_of_draws() -> None:
    labels = np.array([0, 1] * 20, dtype=np.int8)
    right = labels.astype(np.float64)
    sure, torn = auc_over_draws(labels, np.stack([right, right])), auc_over_draws(labels, np.stack([right, -right]))
    assert (sure.low, sure.value, sure.high) == (1.0, 1.0, 1.0)
    assert (torn.low, torn.value, torn.high) == (0.0, 0.5, 1.0)
    hits = share_over_draws(np.array([[True] * 10, [False] * 10]))
    assert (hits.low, hits.value, hits.high) == (0.0, 0.5, 1.0)
