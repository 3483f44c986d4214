"""Rows of a large store: synthetic studies, readings and readers, and films that a reader can really open."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from medcam.core.reader import Role
from medcam.core.study import Study
from medcam.store.film_rows import searched_text

Row = dict[str, Any]
ISSUER = "proxy"
DAY = 86400.0
BACKLOG = 0.03
"""Share of the studies that nobody has read yet; they came within the last day, so that readers meet no older ones."""
READ = 0.6
"""Share of the others that the first reader is done with."""
ASSIGNED = 5000
"""Studies that a reader who may not read everything is asked to read, at the most."""

_FAMILIES = [
    "DOE",
    "ROE",
    "KIM",
    "LEE",
    "PARK",
    "SMITH",
    "GARCIA",
    "MÜLLER",
    "ROSSI",
    "TANAKA",
    "NGUYEN",
    "SILVA",
    "DUPONT",
    "IVANOV",
    "CHEN",
    "KHAN",
]
_GIVEN = [
    "ANNA",
    "BEN",
    "CLARA",
    "DAVID",
    "ELENA",
    "FELIX",
    "GRACE",
    "HUGO",
    "INES",
    "JAMES",
    "KARIN",
    "LEO",
    "MARIA",
    "NOAH",
    "OLGA",
    "PAUL",
]
_WORDS = ("CHEST PA", "CHEST PA AND LATERAL", "CHEST AP PORTABLE", "CHEST FOLLOW-UP", "PREOPERATIVE CHEST")


@dataclass(frozen=True, eq=False)
class Filling:
    """What a store is filled with.

    Args:
        templates: Rows by table of films that were really annotated: models, radiographs, explanations and findings.
        studies: How many there are.
        openable: How many of them have a film; they are the most urgent.
        readers: How many read; every second one reads everything, the others what is assigned to them.
        now: Seconds since 1970 UTC.
        seed: Of all that is drawn.
    """

    templates: Mapping[str, Sequence[Row]] = field(repr=False)
    studies: int
    openable: int
    readers: int
    now: float
    seed: int = 0

    def tables(self) -> dict[str, Iterator[Row]]:
        """Rows by table, as `load_rows` takes them."""
        return {
            "audit_head": iter([{"id": 1, "number": 0, "digest": "0" * 64}]),
            "models": iter([dict(row) for row in self.templates["models"]]),
            "readers": iter([self._reader(number) for number in range(self.readers)]),
            "studies": self._studies(),
            "radiographs": (self._film(number) for number in range(self.openable)),
            "explanations": (self._explanation(number) for number in range(self.openable)),
            "findings": self._findings(),
            "readings": self._readings(),
            "assignments": self._assignments(),
        }

    def _reader(self, number: int) -> Row:
        name = reader_name(number)
        everything = number % 2 == 0
        row = {"id": number + 1, "issuer": ISSUER, "subject": name, "name": name, "roles": str(Role.READER)}
        return {**row, "everything": everything, "active": True, "created": self.now}

    def _studies(self) -> Iterator[Row]:
        chance = np.random.default_rng((self.seed, 1))
        findings = ["", "", *sorted({row["name"] for row in self.templates["findings"]})]
        for number in range(self.studies):
            opens, waits = number < self.openable, self._waits(number)
            age = chance.random() * (0.9 if opens or waits else 1000.0) * DAY
            finding = findings[int(chance.integers(opens, len(findings)))]
            study = self._study(number, int(chance.integers(0, max(1, self.studies // 3))), age)
            margin = float(abs(chance.normal()) + 0.05)
            yield {
                **{name: getattr(study, name) for name in Study.__dataclass_fields__},
                "films": 1,
                "finding": finding,
                "probability": float(chance.random()) if finding else None,
                "rank": -3.0 - margin if opens else -min(margin, 2.9) if finding else margin,
                "flagged": bool(chance.random() < 0.02),
                "readers_done": 0 if opens or waits else 1,
                "received": self.now - age,
                "search": searched_text(study, finding),
            }

    def _study(self, number: int, patient: int, age: float) -> Study:
        family, given = _FAMILIES[patient % len(_FAMILIES)], _GIVEN[patient // len(_FAMILIES) % len(_GIVEN)]
        days = np.datetime64(int(self.now - age), "s").astype("datetime64[D]")
        return Study(
            id=study_id(number),
            uid=f"2.25.{number + 1}",
            patient_id=f"P{patient:07d}",
            issuer="",
            patient_name=f"{family}^{given}",
            accession_number=f"A{number:08d}",
            study_date=str(days).replace("-", ""),
            description=_WORDS[number % len(_WORDS)],
        )

    def _waits(self, number: int) -> bool:
        return number < self.openable + int(self.studies * BACKLOG)

    def _template(self, table: str, number: int) -> Row:
        rows = self.templates[table]
        return rows[number % len(rows)]

    def _film(self, number: int) -> Row:
        told = self._template("explanations", number)
        film = next(row for row in self.templates["radiographs"] if row["id"] == told["radiograph_id"])
        return {**film, "id": study_id(number), "study_id": study_id(number), "uid": f"2.25.{number + 1}.1"}

    def _explanation(self, number: int) -> Row:
        row = self._template("explanations", number)
        content = self._content(number)
        sha256 = hashlib.sha256(content).hexdigest()
        packed = base64.b64encode(zlib.compress(content, 1)).decode("ascii")
        return {**row, "id": sha256[:16], "radiograph_id": study_id(number), "sha256": sha256, "content": packed}

    def _content(self, number: int) -> bytes:
        # Blanks at the end of the JSON text make it another one with the same meaning.
        packed = base64.b64decode(self._template("explanations", number)["content"])
        return zlib.decompress(packed) + b" " * (number // len(self.templates["explanations"]))

    def _findings(self) -> Iterator[Row]:
        for number in range(self.openable):
            told = self._template("explanations", number)["id"]
            own = hashlib.sha256(self._content(number)).hexdigest()[:16]
            for row in self.templates["findings"]:
                if row["explanation_id"] == told:
                    yield {**row, "explanation_id": own}

    def _readings(self) -> Iterator[Row]:
        """The first reader has read most of the archive, the third the rest."""
        chance = np.random.default_rng((self.seed, 2))
        for number in range(self.studies):
            if number >= self.openable and not self._waits(number):
                reader = 1 if chance.random() < READ else min(3, self.readers)
                began = self.now - DAY
                row = {"reader_id": reader, "study_id": study_id(number), "begun": began, "done": began + 60.0}
                yield {**row, "seconds": 60.0}

    def _assignments(self) -> Iterator[Row]:
        chance = np.random.default_rng((self.seed, 3))
        closed = np.arange(self.openable, self.studies)
        for reader in range(1, self.readers, 2):
            others = chance.choice(closed, min(ASSIGNED // 2, closed.size), replace=False)
            # Each their own: readers do not read the same study at the same moment.
            films = chance.choice(self.openable, max(1, min(self.openable // 2, ASSIGNED // 2)), replace=False)
            for number in (*sorted(films.tolist()), *sorted(others.tolist())):
                yield {"reader_id": reader + 1, "study_id": study_id(number), "created": self.now}


def study_id(number: int) -> str:
    """Id of a synthetic study, in no order."""
    return hashlib.sha256(f"medcam bench {number}".encode("ascii")).hexdigest()[:16]


def reader_name(number: int) -> str:
    """What the proxy calls a reader."""
    return f"reader-{number + 1:02d}"
