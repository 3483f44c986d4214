"""A report states what is there and denies what is not."""

from __future__ import annotations

import re

import pytest

from medcam.phantom import FINDINGS, Case, Phantom
from medcam.phantom.report import NEGATIVES

from .conftest import Pair

WORDS = {
    "Cardiomegaly": r"cardiomegaly\.|heart is enlarged",
    "Pleural Effusion": r"(?<!No )pleural effusion|effusion obscures|Blunted",
    "Pneumothorax": r"(Small|Moderate|Large|small|moderate|large) .*pneumothorax",
    "Consolidation": r"[cC]onsolidation (in|\.)|consistent with consolidation",
    "Nodule": r"nodule (in|of)",
    "Mass": r"cm mass|Lobulated mass",
    "Atelectasis": r"(Plate-like|Linear|lower lobe).*atelectasis|Linear .* atelectasis|Volume loss of",
    "Support Devices": r"in place|noted",
}


@pytest.mark.parametrize("name", FINDINGS)
def test_what_is_there_is_stated_and_all_else_denied(name: str, pairs: dict[str, list[Pair]]) -> None:
    for pair in pairs[name]:
        findings, impression = pair.film.report.split("\nIMPRESSION: ")
        assert re.search(WORDS[name], findings), findings
        assert re.search(WORDS[name], impression), impression
        assert not any(sentence in findings for sentence in NEGATIVES[name])
        for other in FINDINGS:
            if other != name:
                assert any(sentence in findings for sentence in NEGATIVES[other]), other


def test_a_healthy_film_is_called_normal_and_every_finding_denied(healthy: list[Phantom]) -> None:
    for film in healthy:
        findings, impression = film.report.split("\nIMPRESSION: ")
        assert impression in ("No acute abnormality.", "Normal chest.")
        for name in FINDINGS:
            assert any(sentence in findings for sentence in NEGATIVES[name]), name


def test_the_view_comes_first(healthy: list[Phantom]) -> None:
    for film in healthy:
        assert film.report.startswith("FINDINGS: Portable AP" if film.view == "AP" else "FINDINGS: PA ")


def test_sides_and_devices_are_named(crowded: list[tuple[Case, Phantom]]) -> None:
    for _, film in crowded:
        for truth in film.truths:
            if truth.name == "Support Devices":
                assert truth.kind.lower() in film.report.lower()
            elif truth.side:
                assert truth.side in film.report.lower()


def test_sizes_are_named_as_they_are(pairs: dict[str, list[Pair]]) -> None:
    for pair in pairs["Nodule"]:
        assert f"{round(pair.truth.parameters['diameter_mm'])} mm" in pair.film.report
    for pair in pairs["Mass"]:
        assert f"{round(pair.truth.parameters['diameter_mm']) / 10:.1f} cm" in pair.film.report
