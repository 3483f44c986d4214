"""A reading study in a store: a model and several readers of different skill, for the pages on agreement."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from medcam.core.finding import Point
from medcam.core.reader import Reader, Role
from medcam.core.review import Answer, MarkedRegion, MarkKind, Phase, Review
from medcam.core.study import Study
from medcam.service.studies.opened import OpenedStore
from medcam.store import KeptExplanation, KeptFinding, KeptModel, KeptRadiograph, pack_content
from medcam.store.schema import ReviewRow

FINDINGS = {"Pleural Effusion": 0.4, "Consolidation": 0.35, "Cardiomegaly": 0.45, "Nodule": 0.2, "Pneumothorax": 0.08}
"""Findings by how often they are there."""
NAMES = ("Ada Park", "Ben Cho", "Cora Lindt", "Dan Ruiz")
CARD = KeptModel("c" * 64, "phantom", "0.3", "w" * 64, "{}")
STARTED, WEEK = 1_780_000_000.0, 7 * 86400.0
_BOX = {"x": 400, "y": 500, "width": 500, "height": 600, "contour": [], "rule": "calibrated"}


def keep_films(opened: OpenedStore, count: int, *, seed: int = 0) -> np.ndarray:
    """Films of one patient each and what the model says of them; returns the truth, bool [films, findings]."""
    rng = np.random.default_rng(seed)
    truth = rng.random((count, len(FINDINGS))) < list(FINDINGS.values())
    opened.films.keep_model(CARD, now=STARTED)
    for number, present in enumerate(truth):
        logits = 2.4 * present - 1.2 + 1.1 * rng.standard_normal(len(FINDINGS))
        chances = 1.0 / (1.0 + np.exp(-logits))
        # Two films in a hundred are unlike those that the model knows.
        withheld = number % 50 == 49
        found = tuple(
            KeptFinding(name, float(chance), 0.5, float(logit), None if withheld else bool(chance >= 0.5))
            for name, chance, logit in zip(FINDINGS, chances, logits, strict=True)
        )
        content = {"film": number, "findings": [{"name": name, "regions": [_BOX]} for name in FINDINGS]}
        said = KeptExplanation(
            request=f"request {number}",
            card_sha256=CARD.card_sha256,
            model=CARD.name,
            version=CARD.version,
            weights_sha256=CARD.weights_sha256,
            method="cam",
            flagged=withheld,
            rank=0.0,
            findings=found,
            packed=pack_content(json.dumps(content).encode()),
            created=STARTED,
        )
        key = f"{number:016x}"
        film = KeptRadiograph(key, key, f"1.3.{number}", f"{number:064x}", "/film", "PA", {}, {})
        opened.films.keep(Study(id=key, uid=f"1.2.{number}", patient_id=f"P{number}"), film, said, now=STARTED)
    return truth


def read_films(
    opened: OpenedStore,
    truth: np.ndarray,
    *,
    names: Sequence[str] = NAMES,
    phases: Sequence[Phase] = (Phase.BLIND, Phase.AIDED),
    weeks: int = 8,
    seed: int = 1,
) -> list[Reader]:
    """Readers read the films, in as many weeks, blind and then aided; returns them."""
    rng = np.random.default_rng(seed)
    readers = []
    for place, name in enumerate(names):
        reader = opened.readers.set("local", name.split()[0].lower(), name=name, roles=[Role.READER], everything=True)
        readers.append(reader)
        noise = 0.45 + 0.15 * place
        for week, films in enumerate(np.array_split(np.arange(len(truth)), weeks)):
            answers = [one for film in films for one in _answers(opened, reader, int(film), truth[film], noise, rng)]
            for phase in phases:
                now = STARTED + week * WEEK + 3600.0 * place + (60.0 if phase is Phase.AIDED else 0.0)
                _keep(opened, [one for one in answers if one.phase is phase], now)
    return readers


def _keep(opened: OpenedStore, reviews: Sequence[Review], now: float) -> None:
    """All at once, without an event for each: thousands are kept in a second."""
    rows = []
    for one in reviews:
        place = one.region
        region = place and {"kind": str(place.kind), "points": [[point.x, point.y] for point in place.points]}
        values = {
            name: getattr(one, name) for name in ("phase", "finding", "answer", "confidence", "comment", "seconds")
        }
        row = ReviewRow(study_id=one.study, radiograph_id=one.radiograph, explanation_id=one.explanation, **values)
        row.reader_id, row.region, row.display, row.created = one.reader, region, {}, now
        rows.append(row)
    with opened.store.begin() as session:
        session.add_all(rows)


def _answers(
    opened: OpenedStore, reader: Reader, film: int, present: np.ndarray, noise: float, rng: np.random.Generator
) -> list[Review]:
    [said] = opened.films.explanations(f"{film:016x}")
    found = {one.name: one for one in said.findings}
    answers = []
    for name, there in zip(FINDINGS, present, strict=True):
        seen = (1.0 if there else -1.0) + noise * float(rng.standard_normal())
        answer = Answer.UNCERTAIN if abs(seen) < 0.06 else Answer.PRESENT if seen > 0 else Answer.ABSENT
        confidence = float(np.clip(round(50 + 40 * seen), 0, 100))
        answers.append(_review(reader, film, name, Phase.BLIND, answer, None, confidence))
        called = found[name].present
        # Some of those who were of another opinion follow the model.
        after = seen if called is None or rng.random() > 0.25 else 1.0 if called else -1.0
        answers.append(_aided(reader, film, name, after > 0, called, said.id, rng))
    return answers


def _aided(
    reader: Reader, film: int, name: str, sees: bool, called: bool | None, said: str, rng: np.random.Generator
) -> Review:
    if called is None:
        return _review(reader, film, name, Phase.AIDED, Answer.UNCERTAIN, said)
    if sees and (not called or rng.random() < 0.4):
        left, top = 400 + 90 * rng.standard_normal(), 500 + 90 * rng.standard_normal()
        place = MarkedRegion(MarkKind.BOX, (Point(left, top), Point(left + 480, top + 560)))
        answer = Answer.WRONG_REGION if called else Answer.MISSED
        return _review(reader, film, name, Phase.AIDED, answer, said, place=place)
    return _review(reader, film, name, Phase.AIDED, Answer.AGREE if sees == called else Answer.DISAGREE, said)


def _review(
    reader: Reader,
    film: int,
    name: str,
    phase: Phase,
    answer: Answer,
    said: str | None,
    confidence: float | None = None,
    place: MarkedRegion | None = None,
) -> Review:
    key = f"{film:016x}"
    return Review(key, key, said, reader.id, phase, name, answer, confidence, place)
