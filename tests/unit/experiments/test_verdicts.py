"""What pages say follows from their figures, whichever way these come out."""

from __future__ import annotations

from typing import Any

from medcam.experiments.anatomy import ANATOMY
from medcam.experiments.errors import ERRORS
from medcam.experiments.heads import HEADS
from medcam.experiments.phrases import PHRASES
from medcam.experiments.probes import PROBES
from medcam.experiments.supervision import SUPERVISION
from medcam.experiments.tails import TAILS
from medcam.experiments.text import TEXT
from medcam.experiments.units import UNITS_EXPERIMENT


def _figure(value: float, width: float = 0.01) -> dict[str, float]:
    return {"value": value, "low": value - width, "high": value + width}


def _arm(auc: float, error: float, iou: float, covered: float) -> dict[str, Any]:
    return {
        "runs": 3,
        "cases": 300,
        "auc": _figure(auc),
        "auc_by_run": [auc] * 3,
        "error": _figure(error),
        "error_tuned": _figure(error),
        "iou": _figure(iou),
        "iou_tuned": _figure(iou),
        "pointing": _figure(0.5),
        "covered": _figure(covered),
        "iou_by_finding": [iou],
    }


def _less(**values: float) -> dict[str, Any]:
    names = ("auc", "error", "error_tuned", "iou", "iou_tuned", "pointing", "covered")
    return {name: _figure(values.get(name, 0.0)) for name in names}


def _heads(**less: float) -> dict[str, Any]:
    arms = dict.fromkeys(("GAP", "GMP", "GMP on the class map", "LSE", "PCAM"), _arm(0.9, 0.4, 0.5, 0.8))
    return {
        "patients": 900, "held": 250, "side": 128, "epochs": 16, "runs": 3, "arms": arms,
        "gap_less": {"GMP": _less(**less)},
    }  # fmt: skip


def test_the_papers_claim_holds_only_where_both_halves_do() -> None:
    holds = "claim (classification alike, GAP localises better) holds"
    assert holds in HEADS.page(_heads(error=-0.1)).body
    assert holds not in HEADS.page(_heads(error=0.1)).body
    assert holds not in HEADS.page(_heads()).body
    assert holds not in HEADS.page(_heads(error=-0.1, auc=0.1)).body
    assert holds in HEADS.page(_heads(error=-0.1, auc=0.015)).body  # .005 to .025: told apart, and still alike
    assert holds not in HEADS.page(_heads(error=-0.1, auc=-0.025)).body


def test_what_cannot_be_told_apart_is_said_so() -> None:
    assert HEADS.page(_heads()).body.count("not told apart") == 5
    body = HEADS.page(_heads(error=0.1, covered=0.2, pointing=-0.2)).body
    assert "- localisation error: GAP less GMP .100 (.090 to .110), GMP is better." in body
    assert "- extent: GAP less GMP .200 (.190 to .210), GAP is better." in body
    assert "- pointing: GAP less GMP -.200 (-.210 to -.190), GMP is better." in body


def _supervision() -> dict[str, Any]:
    rows = [
        {"kind": kind, "films": films, "figures": _arm(0.9, error, 1.0 - error, 0.5)}
        for films in (100, 200)
        for kind, error in (("labels alone", 0.6), ("masks", 0.4), ("U-Net, masks", 0.0))
    ]
    less = {"masks": _less(iou_tuned=-0.2, error_tuned=0.2), "U-Net, masks": _less(iou_tuned=-0.6, error_tuned=0.6)}
    return {"held": 250, "side": 128, "epochs": 16, "runs": 3, "rows": rows, "weak_less": less}


def test_weak_against_full_is_a_difference_and_a_ratio() -> None:
    page = SUPERVISION.page(_supervision())
    assert "paired difference -.200 (-.210 to -.190); localisation error" in page.body
    assert "not told apart" in page.body
    assert "ratio 1.50" in page.body
    assert "ratio not defined" in page.body  # nothing is divided by an error of nought
    assert page.pictures["supervision.svg"].startswith("<svg")
    assert [line.row for line in SUPERVISION.summary(_supervision())] == ["L4", "L5"]


def _place(enrichment: float) -> dict[str, Any]:
    return {"share": _figure(0.5), "area": 0.2, "enrichment": _figure(enrichment)}


def test_a_part_of_an_expected_structure_is_expected() -> None:
    common = {"n": 9, "expected_words": "upper zones", "expected": ["upper-lungs"], "expected_share": _figure(0.8)}
    findings = {
        "Pneumothorax": {**common, "places": {"left-upper-lung": _place(9.0), "upper-lungs": _place(5.0)}},
        "Nodule": {**common, "places": {"heart": _place(3.0), "upper-lungs": _place(2.0)}},
    }
    figures = {"anatomy": {"films": 9, "findings": findings}, "chart": "<svg/>"}
    body = ANATOMY.page(figures).body
    assert "Pneumothorax: most enriched in left-upper-lung (9.0 (9.0 to 9.0)), an expected place" in body
    assert "not an expected place" in body
    assert "1 of 2 findings are most enriched in an expected place" in ANATOMY.summary(figures)[0].here


def test_the_finer_map_is_better_only_where_intervals_part() -> None:
    network = {
        "network": "A", "refused": "", "layer": "l", "cells": 7, "kept": 1.0, "logit_difference": 1e-6,
        "map_difference": 1e-7,
    }  # fmt: skip
    new = {**network, "network": "B", "refused": "two linear layers", "logit_difference": float("nan"), "kept": 0.5}
    for fine, words in ((0.6, "the finer map places"), (0.4, "the coarser map places"), (0.505, "not told apart")):
        strides = {"16": _arm(0.9, 0.5, 0.5, 0.5), "8": _arm(0.9, 0.5, 0.5, 0.5), "4": _arm(0.9, 0.5, fine, 0.5)}
        page = TAILS.page({"networks": [network, new], "side": 128, "strides": strides})
        assert words in page.body
        assert "new linear layer |" in page.body
    line = TAILS.summary({"networks": [network, new], "side": 128, "strides": strides})[0]
    assert line.here.startswith("1 of 2 networks keep every weight (logits within 1e-06), 1 their features")


def _phrase(phrase: str, low: float, other: float, auc: float = 0.9) -> dict[str, Any]:
    placed = {
        "films": 30, "pointing": {"value": low + 0.1, "low": low, "high": low + 0.2}, "pointing_chance": 0.05,
        "pointing_other": other, "iou": _figure(0.3), "iou_chance": 0.02, "iou_other": 0.1,
    }  # fmt: skip
    common = {"reports": {}, "positives": 30, "negatives": 70, "auc": _figure(auc)}
    return {
        "phrase": phrase,
        "finding": "Nodule",
        "right": _figure(0.9),
        "right_plain": None,
        "placed": placed,
        **common,
    }


def test_a_phrase_must_beat_chance_and_the_usual_place() -> None:
    idle = {**_phrase("signed", 0.0, 0.0, auc=0.505), "finding": "", "placed": None, "right": None}
    off = {**idle, "phrase": "dictated", "auc": _figure(0.6)}
    rows = [_phrase("good", 0.5, 0.2), _phrase("usual place", 0.5, 0.55), idle, off]
    figures = {"plan": {"pool": 100, "test": 100, "rounds": 2}, "layer": "neck", "phrases": rows}
    body = PHRASES.page(figures).body
    assert "The maps of 1 of 2 phrases point better" in body
    assert "not so: usual place." in body
    assert "Of 2 phrases without a meaning on the film, 1 are not told from chance; off it" in body
    assert "dictated" in body
    assert PHRASES.summary(figures)[0].row == "L8"


def _point(layer: str, method: str, positives: int, auc: float) -> dict[str, Any]:
    return {
        "finding": "Pneumothorax", "layer": layer, "method": method, "positives": positives, "auc": _figure(auc),
        "pointing": _figure(0.4),
    }  # fmt: skip


def test_a_curve_says_which_layer_is_best_and_whether_the_detectors_differ() -> None:
    points = [
        *(_point("layer2", "svm", count, auc) for count, auc in ((10, 0.5), (100, 0.6))),
        *(_point("layer4", "svm", count, auc) for count, auc in ((10, 0.7), (100, 0.9))),
        _point("layer4", "logistic", 100, 0.905),
    ]
    figures = {
        "plan": {"model": {"findings": ["Pneumothorax"]}, "draws": 2, "counts": [10, 100]},
        "trained_on": "films", "channels": {"layer2": 8, "layer4": 16}, "test_films": 90,
        "pointing_chance": {"Pneumothorax": 0.02}, "points": points,
    }  # fmt: skip
    page = PROBES.page(figures)
    assert "| Pneumothorax | layer4 | logistic regression | - | .905 (.895 to .915) |" in page.body
    assert "AUC .700 with 10, .900 with 100 on layer4, above chance" in page.body
    assert "apart from the best by their intervals: layer2" in page.body
    assert "logistic regression .905 (.895 to .915), not told apart" in page.body
    assert page.pictures["probes.svg"].startswith("<svg")
    assert "with 100 films on layer4" in PROBES.summary(figures)[0].here


def test_units_are_specific_only_where_patches_beat_the_films() -> None:
    unit = {"share": {"unit": 3, "present": 0.2}}
    finding = {"films": 30, "covered": 0.5, "units": [unit]}
    row = {"unit": 3, "patches": 24, "share": {"value": 0.7, "low": 0.5, "high": 0.8}, "films_with": 0.2}
    figures = {
        "units": {
            "units": 32, "layer": "neck", "films": 100, "score": "unit",
            "findings": {"Nodule": finding, "Mass": finding},
        },
        "on_finding": {"Nodule": row, "Mass": {**row, "films_with": 0.6}},
    }  # fmt: skip
    page = UNITS_EXPERIMENT.page(figures).body
    assert "more often than films have it: Nodule." in page
    assert "Not told from any other place: Mass." in page
    assert "(units-nodule.png)" in page
    assert UNITS_EXPERIMENT.summary(figures)[0].here.startswith("units of 1 of 2 findings")


def test_detectors_of_text_stand_side_by_side() -> None:
    counted = {"value": 0.2, "low": 0.1, "high": 0.4, "n": 9}
    keys = (
        "recall of the characters' area", "every character covered", "film covered outside print",
        "films without print left alone", "false alarms", "false alarms without print",
    )  # fmt: skip
    one = {
        "films": dict.fromkeys(keys, counted),
        "lines": {"all": {"n": 9, keys[0]: counted}, "in a box": {"n": 0}},
    }
    names = ("learnt", "hand-made", "both together")
    figures = {
        "plan": {"films": 9, "side": 512},
        "model": "text 1",
        "weights": "ab" * 32,
        "phantoms": dict.fromkeys(names, one),
    }
    body = TEXT.page(figures).body
    assert "| all | 9 | 20.0 % (10.0 to 40.0) | 20.0 %" in body
    assert "| in a box" not in body  # no line was of that kind
    assert body.count("20.0 % (10.0 to 40.0) of the characters' area, .20 (.10 to .40) false alarms") == 3
    assert TEXT.summary(figures)[0].row == "L9"


def test_causes_that_no_map_can_show_are_said_so() -> None:
    def cause(right: dict[str, float] | None) -> dict[str, Any]:
        return {"n": 9, "named": {"close to the threshold": 9}, "right": right, "marks": _figure(0.1), "doubts": None}

    figures = {
        "plan": {
            "shortcut": {"finding": "Consolidation", "with_finding": 0.95, "without": 0.03},
            "label_films": 150,
            "word_films": 240,
        },
        "turned": [30, 80],
        "labels": {"label error: finding added": cause(_figure(0.8)), "nothing planted: false positive": cause(None)},
        "words": {"shortcut: the word is missing": cause(None)},
        "others": {},
        "called_with_word": _figure(0.7),
        "called_without_word": _figure(0.2),
        "right": _figure(0.75),
    }
    body = ERRORS.page(figures).body
    assert "75.0 % (74.0 to 76.0) of the planted causes that a map can show are named rightly" in body
    assert "No reason of the rules can name: shortcut: the word is missing." in body
    assert "| label error: finding added | 9 | 80.0 % (79.0 to 81.0) | 10.0 % (9.0 to 11.0) | - |" in body
    assert "label error: finding added 80.0 %" in ERRORS.summary(figures)[0].here
