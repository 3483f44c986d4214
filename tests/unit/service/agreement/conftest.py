"""A store with readers and a model that says what a test wants, on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from medcam.core.reader import Reader, Role
from medcam.core.review import Answer, MarkedRegion, Phase, Review
from medcam.core.study import Study
from medcam.service.agreement.report import (
    AgreementQuery,
    AgreementReport,
    FindingDetails,
    agreement_report,
    finding_details,
)
from medcam.service.audit.key import KEY_VARIABLE
from medcam.service.studies.address import FILMS_VARIABLE
from medcam.service.studies.opened import OpenedStore, open_studies
from medcam.store import KeptExplanation, KeptFinding, KeptModel, KeptRadiograph, ReviewStore, pack_content

CARDS = {name: KeptModel(name[0] * 64, name, "1", "w" * 64, "{}") for name in ("main", "other")}


@dataclass
class Bench:
    """What readers and models did, in few words."""

    opened: OpenedStore
    now: float = 1_780_000_000.0
    readers: dict[str, Reader] = field(default_factory=dict)

    def reader(self, name: str, *roles: Role, everything: bool = True) -> Reader:
        if name not in self.readers:
            self.readers[name] = self.opened.readers.set(
                "local", name, name=name.title(), roles=roles or (Role.READER,), everything=everything
            )
        return self.readers[name]

    def says(
        self,
        number: int,
        called: bool | None = True,
        *,
        finding: str = "Nodule",
        model: str = "main",
        box=None,
        **known,
    ) -> None:
        """A model speaks about film `number` of study `number`, whose patient is not known unless told."""
        self.now += 1.0
        region = (
            []
            if box is None
            else [{**dict(zip(("x", "y", "width", "height"), box, strict=True)), "rule": "calibrated"}]
        )
        region += [{"x": 0, "y": 0, "width": 9, "height": 9, "rule": "paper"}] if region else []
        content = {"findings": [{"name": finding, "regions": [{**one, "contour": []} for one in region]}]}
        probability = 0.5 if called is None else 0.9 if called else 0.1
        probability = known.pop("probability", probability)
        said = KeptExplanation(
            request=f"{number} {model} {finding} {self.now}",
            card_sha256=CARDS[model].card_sha256,
            model=model,
            version="1",
            weights_sha256="w" * 64,
            method="cam",
            flagged=called is None,
            rank=0.0,
            findings=(KeptFinding(finding, probability, 0.5, 0.0, called),),
            packed=pack_content(json.dumps({**content, "request": f"{number} {self.now}"}).encode()),
            created=self.now,
        )
        study = Study(id=f"{number:016x}", uid=f"1.2.{number}", **known)
        film = KeptRadiograph(f"{number:016x}", study.id, f"1.3.{number}", f"{number:064x}", "/film", "PA", {}, {})
        self.opened.films.keep_model(CARDS[model], now=0.0)
        self.opened.films.keep(study, film, said, now=self.now)

    def answers(
        self, name: str, answers: dict[int, Answer], phase: Phase = Phase.BLIND, *, finding: str = "Nodule",
        confidence: dict[int, float] | None = None, region: MarkedRegion | None = None, model: str = "main",
    ) -> None:  # fmt: skip
        """A reader answers about films by their numbers."""
        reader, reviews = self.reader(name), []
        self.now += 1.0
        for number, answer in answers.items():
            film = f"{number:016x}"
            said = [one for one in self.opened.films.explanations(film) if one.model == model]
            said = [one for one in said if any(found.name == finding for found in one.findings)]
            reviews.append(
                Review(
                    study=film,
                    radiograph=film,
                    explanation=said[0].id if phase is Phase.AIDED else None,
                    reader=reader.id,
                    phase=phase,
                    finding=finding,
                    answer=answer,
                    confidence=(confidence or {}).get(number),
                    region=region,
                )
            )
        ReviewStore(self.opened.store, self.opened.trail, lambda: self.now).add_all(reviews, reader)

    def report(
        self, viewer: str = "auditor", phase: Phase = Phase.BLIND, model: str = "main", since: float = 0.0
    ) -> AgreementReport:
        who = self.reader(viewer, Role.AUDITOR) if viewer == "auditor" else self.readers[viewer]
        return agreement_report(self.opened, who, AgreementQuery(CARDS[model].card_sha256, phase, since))

    def details(self, viewer: str = "auditor", *, finding: str = "Nodule", **asked) -> FindingDetails:
        return finding_details(self.opened, self.report(viewer, **asked), finding)


@pytest.fixture(params=["sqlite", "postgresql"])
def bench(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """An empty store of each kind in turn."""
    monkeypatch.setenv(KEY_VARIABLE, str(tmp_path / "audit.pem"))
    monkeypatch.setenv(FILMS_VARIABLE, str(tmp_path / "films"))
    address = tmp_path / "store" if request.param == "sqlite" else request.getfixturevalue("postgres").new_url()
    opened = open_studies(address)
    yield Bench(opened)
    opened.close()
