"""`medcam probe`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from medcam.core.card import FindingCard, Interval
from medcam.models.probes.card import ProbeCard
from medcam.service.probes import fit as service
from medcam.service.probes.films import NamedFilm
from medcam.service.probes.fit import ProbeReport, ProbeRequest

from .conftest import Ended

CARD = ProbeCard(
    finding=FindingCard("sign", performance={"auc": Interval(0.8, 0.7, 0.9)}),
    model="phantom",
    model_sha256="ab",
    layer="neck",
    version="1",
    positives=3,
    negatives=4,
    patients=6,
    phrase="a sign",
    rounds=2,
    limits=("It is small.",),
)


class Job:
    """Stands in for the service, which has tests of its own."""

    def __init__(self) -> None:
        self.positives: Sequence[NamedFilm] = ()
        self.negatives: Sequence[NamedFilm] = ()
        self.request: ProbeRequest | None = None

    def __call__(
        self, positives: Sequence[NamedFilm], negatives: Sequence[NamedFilm], request: ProbeRequest, progress: object
    ) -> ProbeReport:
        self.positives, self.negatives, self.request = positives, negatives, request
        return ProbeReport(CARD, Path("home"), {"x.dcm": "broken-dicom"})


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch) -> Job:
    stand_in = Job()
    monkeypatch.setattr(service, "fit_probe", stand_in)
    return stand_in


@pytest.fixture
def films(tmp_path: Path) -> Path:
    for name in ("with/1.dcm", "without/2.dcm"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"")
    rows = [{"image": "with/1.dcm", "report": "A sign."}, {"image": "without/2.dcm", "report": "No sign."}]
    (tmp_path / "reports.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return tmp_path


def test_films_by_hand(medcam: Callable[..., Ended], job: Job, films: Path) -> None:
    ended = medcam(
        *("probe", "fit", "--name", "sign", "--positive", films / "with", "--negative", films / "without"),
        *("--classifier", "logistic", "--seed", 3),
    )
    assert ended.code == 0
    assert ([f.name for f in job.positives], [f.name for f in job.negatives]) == (["1.dcm"], ["2.dcm"])
    assert job.request is not None
    assert (job.request.method, job.request.rounds, job.request.seed) == ("logistic", 0, 3)
    assert str(films) not in job.request.command  # a path may name a patient
    assert "left out: x.dcm (broken-dicom)" in ended.err
    assert "auc, cross-validated: 0.800 (0.700-0.900)" in ended.out
    assert "--model phantom+sign" in ended.out
    assert "Not a medical device" in ended.out


def test_films_by_a_phrase_of_their_reports(medcam: Callable[..., Ended], job: Job, films: Path) -> None:
    ended = medcam(
        "probe", "fit", "--name", "sign", "--phrase", "a sign", "--reports", films / "reports.jsonl", "--json"
    )
    assert ([f.name for f in job.positives], [f.name for f in job.negatives]) == (["with/1.dcm"], ["without/2.dcm"])
    assert job.request is not None
    assert (job.request.phrase, job.request.rounds) == ("a sign", 2)
    assert "reports: 1 affirmed, 1 negated" in ended.err
    assert json.loads(ended.out)["finding"]["name"] == "sign"


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--positive", "p"),
        ("--phrase", "x"),
        ("--positive", "p", "--negative", "n", "--phrase", "x", "--reports", "r"),
        ("--positive", "p", "--negative", "n", "--classifier", "forest"),
        ("--positive", "p", "--negative", "n", "--phrase", "x"),
    ],
)
def test_wrong_calls(medcam: Callable[..., Ended], job: Job, words: tuple[str, ...]) -> None:
    assert medcam("probe", "fit", "--name", "sign", *words).code == 2
    assert job.request is None


def test_show_needs_a_probe(medcam: Callable[..., Ended], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    ended = medcam("probe", "show", "nothing")
    assert ended.code == 2
    assert "no-such-probe" in ended.err
