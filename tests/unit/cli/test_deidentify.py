"""`medcam deidentify`: what is asked of the job, what is said about it, how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from medcam.core.errors import UsageError
from medcam.dicom.deidentify import Profile
from medcam.service.deidentification import run as service
from medcam.service.deidentification.options import DeidentifyOptions
from medcam.service.deidentification.report import Refused, Report, Written
from medcam.service.output_errors import OutputError

from .conftest import Ended


def report(written: int = 0, skipped: int = 0, refused: int = 0, duplicate: int = 0, told: bool = True) -> Report:
    warnings = () if told else ("burned-in-annotation-not-told",)
    return Report(
        profile=Profile(),
        software={},
        written=tuple(Written(k, f"a/b/{k}.dcm", "P1", warnings=warnings) for k in range(written)),
        skipped=tuple(Refused(k, "not-dicom", "no DICOM") for k in range(skipped)),
        duplicates=tuple(range(duplicate)),
        refused=tuple(Refused(k, "undecodable", "no") for k in range(refused)),
    )


class Job:
    """Stands in for the service, which has tests of its own."""

    def __init__(self) -> None:
        self.result, self.failure = report(written=1), None
        self.sources: list[Path] = []
        self.out, self.options = Path(), DeidentifyOptions()

    def __call__(self, sources: list[Path], out: Path, options: DeidentifyOptions, progress: object) -> Report:
        self.sources, self.out, self.options = sources, out, options
        if self.failure is not None:
            raise self.failure
        return self.result


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch) -> Job:
    stand_in = Job()
    monkeypatch.setattr(service, "deidentify_files", stand_in)
    return stand_in


@pytest.mark.parametrize(
    ("counts", "code"),
    [
        ({"written": 2}, 0),
        ({"written": 2, "skipped": 3, "duplicate": 1}, 0),
        ({"skipped": 3}, 0),
        ({"written": 2, "refused": 1}, 1),
        ({"refused": 4}, 3),
        ({}, 3),
    ],
)
def test_the_exit_code_tells_how_it_went(
    medcam: Callable[..., Ended], job: Job, counts: dict[str, int], code: int
) -> None:
    job.result = report(**counts)
    assert medcam("deidentify", "films", "--out", "out").code == code


def test_every_option_reaches_the_job(medcam: Callable[..., Ended], job: Job) -> None:
    medcam(
        *("deidentify", "a", "b", "--out", "out", "--key", "k.json", "--clean-pixels", "--workers", 3, "--no-resume"),
        *("--retain-patient-characteristics", "--retain-longitudinal"),
    )
    assert (job.sources, job.out) == ([Path("a"), Path("b")], Path("out"))
    assert job.options == DeidentifyOptions(Profile(True, True, True), Path("k.json"), workers=3, resume=False)


def test_without_options_the_basic_profile_is_applied(medcam: Callable[..., Ended], job: Job) -> None:
    medcam("deidentify", "films", "--out", "out")
    assert job.options == DeidentifyOptions()
    assert job.options.profile == Profile(False, False, False)


def test_the_summary_says_what_to_look_at(medcam: Callable[..., Ended], job: Job) -> None:
    job.result = report(written=2, skipped=3, refused=4, duplicate=5, told=False)
    said = medcam("deidentify", "films", "--out", "out").out
    for word, count in (("deidentified", 2), ("skipped", 3), ("quarantined", 4), ("duplicate", 5)):
        [line] = [line for line in said.splitlines() if f" {word} " in line and "│" in line]
        assert str(count) in line
    assert "2 films do not say whether text is burned in" in said
    assert "out/quarantine.jsonl" in said
    assert "never pass it on" in said


def test_json_prints_the_report_and_nothing_else(medcam: Callable[..., Ended], job: Job) -> None:
    ended = medcam("deidentify", "films", "--out", "out", "--json")
    assert ended.out == job.result.to_json()
    assert json.loads(ended.out)["counts"]["deidentified"] == 1


@pytest.mark.parametrize(
    "arguments", [("deidentify",), ("deidentify", "films"), ("deidentify", "films", "--out", "o", "--workers", "0")]
)
def test_wrong_calls(medcam: Callable[..., Ended], job: Job, arguments: tuple[str, ...]) -> None:
    assert medcam(*arguments).code == 2


def test_errors_are_told_with_their_codes(medcam: Callable[..., Ended], job: Job) -> None:
    job.failure = UsageError("the key lies there", code="key-in-output")
    ended = medcam("deidentify", "films", "--out", "out")
    assert (ended.code, "key-in-output" in ended.err) == (2, True)
    job.failure = OutputError("the disk is full", code="disk-full")
    assert medcam("deidentify", "films", "--out", "out").code == 3
    job.failure = KeyboardInterrupt()
    assert medcam("deidentify", "films", "--out", "out").code == 130
