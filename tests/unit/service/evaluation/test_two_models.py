"""Two models compared: hand-made records against computations of their own, and what `annotate` writes with two."""

from __future__ import annotations

import csv
import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import cohen_kappa_score, roc_auc_score
from typer.testing import CliRunner

from medcam.cli.main import app
from medcam.core.codes import CodedConcept
from medcam.core.errors import UsageError
from medcam.core.explanation import Explanation
from medcam.core.finding import Finding, Point, Region
from medcam.core.geometry import Box
from medcam.core.radiograph import Identity
from medcam.service.annotate.options import AnnotateOptions, Output
from medcam.service.annotate.several import annotate_with
from medcam.service.evaluation.labels import read_labels
from medcam.service.evaluation.observed import Observed
from medcam.service.evaluation.observed_film import observed_film
from medcam.service.evaluation.two_models import compare_models, matched_findings
from medcam.service.evaluation.two_models_named import observe_two

FILMS = 40
CODE = CodedConcept("60046008", "SCT", "Pleural effusion")


def region(x: float, y: float, side: float, rule: str) -> Region:
    outline = (Point(x, y), Point(x + side, y), Point(x + side, y + side), Point(x, y + side))
    return Region(box=Box(x, y, side, side), contour=outline, peak=outline[0], share=1.0, rule=rule)


def finding(template: Finding, name: str, probability: float, values: Any, *places: Region, **changes: Any) -> Finding:
    probability = float(probability)
    logit = float(np.log(probability / (1.0 - probability)))
    mapped = replace(template.map, values=np.asarray(values, dtype=np.float32))
    given = {"code": None, "threshold": 0.5, "present": bool(probability >= 0.5), "evidence": None, **changes}
    return replace(template, name=name, probability=probability, logit=logit, map=mapped, regions=places, **given)


def film(template: Explanation, number: int, findings: tuple[Finding, ...], sha: str = "") -> Explanation:
    identity = Identity(f"2.25.{number + 1}", f"2.25.9{number}", f"2.25.8{number}")
    source = replace(template.source, identity=identity, sha256=sha or f"{number:064x}")
    return replace(template, source=source, findings=findings)


def observed(films: list[Explanation], name: str) -> Observed:
    known = [
        observed_film(one, f"s/{number}", f"film-{number}.dcm", source=bytes, patient=f"p{number}")
        for number, one in enumerate(films)
    ]
    model = replace(films[0].model, name=name)
    return Observed("results", name, model, "cam", "torch fp32", {}, tuple(known))


@pytest.fixture
def template(explained: Any) -> Explanation:
    return Explanation(**{entry.name: getattr(explained, entry.name) for entry in fields(Explanation)})


@pytest.fixture
def pair(template: Explanation) -> tuple[Observed, Observed, dict[str, np.ndarray]]:
    """Two models that share two findings; the maps of the second are the first's, and then the opposite."""
    rng = np.random.default_rng(2)
    base = template.findings[0]
    rule = "calibrated"
    one, other = rng.uniform(0.05, 0.95, FILMS), rng.uniform(0.05, 0.95, FILMS)
    other = 0.5 * one + 0.5 * other
    left, right = [], []
    for number in range(FILMS):
        values = rng.normal(size=base.map.values.shape)
        first = (
            finding(base, "Pleural Effusion", one[number], values, region(10, 10, 40, rule), code=CODE),
            finding(base, "Nodule", 0.3, values),
            finding(base, "Mass", 0.2, values),
        )
        second = (
            finding(base, "Nodule", 0.6, -values, region(0, 0, 20, rule)),
            finding(base, "Effusion", other[number], 2.0 * values + 1.0, region(30, 10, 40, rule), code=CODE),
        )
        left.append(film(template, number, first))
        right.append(film(template, number, second))
    return observed(left, "a"), observed(right, "b"), {"a": one, "b": other}


def test_figures_are_those_of_an_independent_computation(
    pair: tuple[Observed, Observed, dict[str, np.ndarray]],
) -> None:
    first, second, scores = pair
    found = compare_models(first, second)
    effusion, nodule = found.findings
    assert (effusion.first_name, effusion.second_name, effusion.matched_by) == ("Pleural Effusion", "Effusion", "code")
    assert (nodule.first_name, nodule.second_name, nodule.matched_by) == ("Nodule", "Nodule", "name")
    assert found.unmatched == {"first": ("Mass",), "second": ()}
    assert (found.films, found.patients, found.first_only, found.second_only, found.other_file) == (
        FILMS,
        FILMS,
        0,
        0,
        0,
    )
    assert effusion.scores.correlation.value == pytest.approx(spearmanr(scores["a"], scores["b"]).statistic)
    assert effusion.scores.difference.value == pytest.approx(np.mean(scores["b"] - scores["a"]))
    calls = scores["a"] >= 0.5, scores["b"] >= 0.5
    assert effusion.calls.kappa.value == pytest.approx(cohen_kappa_score(*calls))
    assert (effusion.calls.both, effusion.calls.neither) == ((calls[0] & calls[1]).sum(), (~calls[0] & ~calls[1]).sum())
    # Of the same maps in other units, and of their opposites; of other films' maps, nothing.
    assert effusion.map_correlation.value == pytest.approx(1.0, abs=1e-6)
    assert nodule.map_correlation.value == pytest.approx(-1.0, abs=1e-6)
    assert abs(effusion.chance.value or 0.0) < 0.15
    assert effusion.chance.cases == FILMS - 1
    # Squares of side 40, 20 apart: 800 of 2400.
    assert effusion.region_iou.value == pytest.approx(1.0 / 3.0, abs=0.01)
    assert effusion.region_iou_both.cases == effusion.calls.both
    assert nodule.region_iou.value == 0.0
    assert nodule.calls.both == 0
    apart = sorted(range(FILMS), key=lambda one: -abs(scores["a"][one] - scores["b"][one]))[:10]
    assert [one.film for one in effusion.apart] == [f"s/{number}" for number in apart]
    json.dumps(found.as_dict(), allow_nan=False)


def test_areas_stand_beside_each_other_where_labels_are_given(
    pair: tuple[Observed, Observed, dict[str, np.ndarray]], tmp_path: Path
) -> None:
    first, second, scores = pair
    truth = (scores["b"] + np.random.default_rng(0).normal(0.0, 0.2, FILMS) > 0.5).astype(int)
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["image", "patient_id", "Effusion"])
        rows.writerows([f"film-{number}.dcm", f"x{number}", truth[number]] for number in range(FILMS))
    found = compare_models(first, second, read_labels(tmp_path / "labels.csv"))
    areas = found.findings[0].areas
    assert areas is not None
    assert areas.label == "Effusion"
    assert areas.first.value == pytest.approx(roc_auc_score(truth, scores["a"]))
    assert areas.second.value == pytest.approx(roc_auc_score(truth, scores["b"]))
    assert areas.difference.value == pytest.approx((areas.second.value or 0.0) - (areas.first.value or 0.0))
    assert areas.p is not None
    assert areas.adjusted_p == areas.p
    assert found.findings[1].areas is None


def test_films_that_do_not_belong_together_are_left_out(
    pair: tuple[Observed, Observed, dict[str, np.ndarray]], template: Explanation
) -> None:
    first, second, _ = pair
    odd = [one.explanation() for one in second.films]
    odd[3] = film(template, 3, odd[3].findings, sha="f" * 64)
    withheld = tuple(replace(one, present=None) for one in odd[4].findings)
    odd[4] = replace(odd[4], findings=withheld)
    found = compare_models(first, observed(odd[:-5], "b"))
    assert (found.films, found.other_file, found.first_only) == (FILMS - 6, 1, 5)
    assert found.findings[0].withheld == 1
    assert found.findings[0].calls.cases == FILMS - 7
    strangers = [film(template, 1000 + number, one.findings) for number, one in enumerate(odd)]
    with pytest.raises(UsageError) as nothing:
        compare_models(first, observed(strangers, "b"))
    assert nothing.value.code == "nothing-in-common"


def test_findings_are_matched_by_code_then_by_name_each_once(template: Explanation) -> None:
    base = template.findings[0]
    values = base.map.values

    def named(name: str, code: str = "") -> Finding:
        return finding(base, name, 0.5, values, code=CodedConcept(code, "SCT", name) if code else None)

    found = matched_findings(
        [named("Effusion", "1"), named("Opacity", "2"), named("Mass"), named("Nodule", "3"), named("Hernia", "4")],
        [named("Pleural Effusion", "1"), named("Infiltrate", "2"), named("Opacity", "2"), named("mass", "9"),
         named("nodule"), named("Hernia", "5")],
    )  # fmt: skip
    assert [(one.first, one.second, one.by) for one in found] == [
        ("Effusion", "Pleural Effusion", "code"),
        ("Opacity", "Opacity", "code"),
        ("Mass", "mass", "name"),
        ("Nodule", "nodule", "name"),
    ]


@pytest.fixture(scope="module")
def annotated(
    phantom_dicom: Path,
    tiny_model_folder: Path,
    strict_model_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    folder = tmp_path_factory.mktemp("two")
    options = AnnotateOptions(outputs=(Output.JSON,), workers=1, engine="torch", store=str(folder / "store"))
    annotate_with([str(tiny_model_folder), str(strict_model_folder)], [phantom_dicom], folder / "out", options)
    return folder


def test_the_command_takes_a_run_two_folders_or_a_store(annotated: Path, phantom_dicom: Path, tmp_path: Path) -> None:
    def run(*arguments: str) -> Any:
        result = CliRunner().invoke(app, ["models", "compare", *arguments, "--json"])
        assert result.exit_code == 0, (result.output, result.exception)
        return json.loads(result.stdout)

    out = annotated / "out"
    of_run = run(str(out))
    of_folders = run(str(out / "tiny"), str(out / "strict"))
    of_store = run(str(annotated / "store"), "--model", "tiny", "--model", "strict")
    turned = run(str(out), "--model", "strict", "--model", "tiny")
    assert of_run == of_folders
    assert [of_run[side]["name"] for side in ("first", "second")] == ["tiny", "strict"]
    assert [turned[side]["name"] for side in ("first", "second")] == ["strict", "tiny"]
    assert (of_run["first"]["flagged"], of_run["second"]["flagged"]) == (0, 3)
    # A store knows the patients of its films, a results folder by the films' headers alone.
    with_headers = run(str(out), "--source", str(phantom_dicom))
    assert with_headers["patients"] == of_store["patients"]
    for one, same in zip(with_headers["findings"], of_store["findings"], strict=True):
        # One network under two names: it agrees with itself, and the second's gate withholds every answer.
        assert one["map_correlation"]["value"] == pytest.approx(1.0)
        assert one["scores"]["difference"]["value"] == pytest.approx(0.0)
        assert one["withheld"] == 3
        assert one["scores"] == same["scores"]
    assert len(of_run["findings"]) == 8
    shown = CliRunner().invoke(app, ["models", "compare", str(out), "--out", str(tmp_path / "figures.json")])
    assert shown.exit_code == 0, shown.output
    assert "3 films of 3 patients" in shown.stdout
    assert json.loads((tmp_path / "figures.json").read_text(encoding="utf-8")) == of_run


@pytest.mark.parametrize(
    ("records", "models"),
    [
        (["out/tiny"], []),
        (["out"], ["tiny"]),
        (["out"], ["tiny", "other"]),
        (["out/tiny", "out/strict"], ["tiny", "strict"]),
        (["out/tiny", "out/strict", "out/tiny"], []),
        (["store"], ["tiny", "tiny"]),
        (["store"], ["tiny", "nobody"]),
    ],
)
def test_what_is_not_two_models_is_refused(annotated: Path, records: list[str], models: list[str]) -> None:
    with pytest.raises(UsageError) as refused:
        observe_two([str(annotated / one) for one in records], models)
    assert refused.value.code == "not-two-models"
