"""`medcam annotate`: what is asked of the job, what is said about it, how it ends."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from medcam.core.errors import UsageError
from medcam.core.explanation import ModelReference
from medcam.dicom.network.destination import DimseDestination
from medcam.dicom.network.security import Security
from medcam.service.annotate import run as service
from medcam.service.annotate.manifest import Manifest
from medcam.service.annotate.options import AnnotateOptions, Output
from medcam.service.annotate.outcomes import Annotated, Duplicate, Skipped
from medcam.service.output_errors import OutputError
from medcam.service.sending.counts import DeliveryCounts

from .conftest import Ended


def manifest(annotated: int = 0, skipped: int = 0, quarantined: int = 0, duplicate: int = 0) -> Manifest:
    return Manifest(
        model=ModelReference("tiny", "0.1", "ab" * 32),
        options={},
        software={},
        started=datetime(2026, 1, 1, tzinfo=UTC),
        finished=datetime(2026, 1, 1, tzinfo=UTC),
        annotated=tuple(Annotated(f"{k}.dcm", "a/b", flagged=k == 0, reused=k == 1) for k in range(annotated)),
        skipped=tuple(Skipped(f"{k}.txt", "not-dicom", "no DICOM") for k in range(skipped)),
        duplicates=tuple(Duplicate(f"d{k}.dcm", "0.dcm") for k in range(duplicate)),
        quarantined=quarantined,
    )


class Job:
    """Stands in for the service, which has tests of its own."""

    def __init__(self) -> None:
        self.result: Manifest = manifest(annotated=1)
        self.failure: BaseException | None = None
        self.sources: list[str] = []
        self.out = Path()
        self.options = AnnotateOptions()

    def __call__(self, sources: list[str], out: Path, options: AnnotateOptions, progress: object) -> Manifest:
        self.sources, self.out, self.options = sources, out, options
        if self.failure is not None:
            raise self.failure
        return self.result


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch) -> Job:
    stand_in = Job()
    monkeypatch.setattr(service, "annotate", stand_in)
    return stand_in


@pytest.mark.parametrize(
    ("counts", "code"),
    [
        ({"annotated": 2}, 0),
        ({"annotated": 2, "skipped": 3, "duplicate": 1}, 0),
        ({"skipped": 3}, 0),
        ({"annotated": 2, "quarantined": 1}, 1),
        ({"duplicate": 1, "quarantined": 1}, 1),
        ({"quarantined": 4}, 3),
        ({}, 3),
    ],
)
def test_the_exit_code_tells_how_it_went(
    medcam: Callable[..., Ended], job: Job, counts: dict[str, int], code: int
) -> None:
    job.result = manifest(**counts)
    assert medcam("annotate", "films", "--out", "out").code == code


def test_every_option_reaches_the_job(medcam: Callable[..., Ended], job: Job) -> None:
    medcam(
        *("annotate", "a", "b", "--out", "out", "--model", "mine", "--finding", "nodule", "--finding", "Mass"),
        *("--write", "sc,png", "--workers", 3, "--no-resume", "--allow-out-of-distribution"),
    )
    assert (job.sources, job.out) == (["a", "b"], Path("out"))
    assert job.options == AnnotateOptions(
        model="mine",
        findings=("nodule", "Mass"),
        outputs=(Output.JSON, Output.PNG, Output.SC),
        workers=3,
        resume=False,
        allow_out_of_distribution=True,
    )


def test_a_destination_and_how_it_is_called_reach_the_job(
    medcam: Callable[..., Ended], job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDCAM_DICOMWEB_AUTHORIZATION", "Bearer of-a-secret")
    files = {name: tmp_path / f"{name}.pem" for name in ("ca", "cert", "key")}
    for path in files.values():
        path.touch()
    tls = [word for name, path in files.items() for word in (f"--tls-{name}", str(path))]

    medcam("annotate", "films", "--out", "out", "--send-to", "PACS@pacs.example:104", "--calling-aet", "CAM", *tls)

    assert job.options.send_to == DimseDestination("PACS", "pacs.example", 104)
    assert job.options.security == Security("CAM", files["ca"], files["cert"], files["key"])
    assert job.options.outputs == (Output.JSON, Output.PNG, Output.SC, Output.SEG, Output.SR)


@pytest.mark.parametrize(
    "arguments",
    [("annotate", "dicomweb://127.0.0.1/pacs"), ("annotate", "films", "--send-to", "dicomwebs://pacs.example/web")],
)
def test_secret_headers_go_to_dicomweb_alone_and_are_not_shown(
    medcam: Callable[..., Ended], job: Job, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("MEDCAM_DICOMWEB_AUTHORIZATION", "Bearer of-a-secret")

    ended = medcam(*arguments, "--out", "out")

    assert job.options.security.headers == {"Authorization": "Bearer of-a-secret"}
    assert "of-a-secret" not in repr(job.options) + ended.out + ended.err


@pytest.mark.parametrize(
    ("deliveries", "code", "words"),
    [
        (DeliveryCounts(sent=6, already_sent=2), 0, "Sent: 6 DICOM objects (2 more by an earlier run)"),
        (DeliveryCounts(sent=5, refused=1), 1, "Refused by the destination: 1"),
        (DeliveryCounts(failed=6), 1, "Give the same command again"),
    ],
)
def test_what_was_not_delivered_is_told(
    medcam: Callable[..., Ended], job: Job, deliveries: DeliveryCounts, code: int, words: str
) -> None:
    job.result = replace(manifest(annotated=2), deliveries=deliveries)

    ended = medcam("annotate", "films", "--out", "out", "--send-to", "PACS@pacs.example:104")

    assert (ended.code, words in ended.out) == (code, True)


def test_without_options_json_and_png_are_written_and_finished_films_kept(
    medcam: Callable[..., Ended], job: Job
) -> None:
    medcam("annotate", "films", "--out", "out")
    assert job.options == AnnotateOptions()
    assert job.options.outputs == (Output.JSON, Output.PNG)
    assert job.options.resume
    assert job.options.workers >= 1


def test_the_summary_says_what_became_of_the_inputs_and_where_to_look(medcam: Callable[..., Ended], job: Job) -> None:
    job.result = manifest(annotated=2, skipped=3, quarantined=4, duplicate=5)
    said = medcam("annotate", "films", "--out", "my results").out
    for word, count in (("annotated", 2), ("skipped", 3), ("quarantined", 4), ("duplicate", 5)):
        [line] = [line for line in said.splitlines() if f" {word} " in line and "│" in line]
        assert str(count) in line
    assert "my results/manifest.json" in said
    assert "my results/quarantine.jsonl" in said
    assert "medcam review" not in said
    kept = medcam("annotate", "films", "--out", "my results", "--store", "my store").out
    assert job.options.store == "my store"
    assert "medcam review --store 'my store'" in kept
    assert "unlike the training films" in said
    assert "Not a medical device" in said


def test_json_prints_the_manifest_and_nothing_else(medcam: Callable[..., Ended], job: Job) -> None:
    ended = medcam("annotate", "films", "--out", "out", "--json")
    assert json.loads(ended.out) == job.result.to_dict()


@pytest.mark.parametrize(
    "arguments",
    [
        ("annotate",),
        ("annotate", "films"),
        ("annotate", "--out", "out"),
        ("annotate", "films", "--out", "out", "--write", "gif"),
        ("annotate", "films", "--out", "out", "--write", ","),
        ("annotate", "films", "--out", "out", "--workers", "0"),
        ("annotate", "films", "--out", "out", "--send-to", "somewhere"),
        ("annotate", "films", "--out", "out", "--send-to", "PACS@pacs.example:104", "--write", "json,png"),
        ("annotate", "films", "--out", "out", "--send-to", "PACS@pacs.example:104", "--tls-cert", "absent.pem"),
        ("annotate", "films", "--out", "out", "--calling-aet", "longer than an AE title is"),
    ],
)
def test_wrong_calls(medcam: Callable[..., Ended], job: Job, arguments: tuple[str, ...]) -> None:
    assert medcam(*arguments).code == 2


def test_an_error_is_told_with_its_code_and_next_step(medcam: Callable[..., Ended], job: Job) -> None:
    job.failure = UsageError("there is no [red] folder", code="no-such-source", next_step="Check the path.")
    ended = medcam("annotate", "films", "--out", "out", "--json")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "error [no-such-source]: there is no [red] folder\n  Check the path.\n"


def test_a_full_disk_ends_with_3(medcam: Callable[..., Ended], job: Job) -> None:
    job.failure = OutputError("the disk is full", code="disk-full")
    assert medcam("annotate", "films", "--out", "out").code == 3


def test_real_sources_that_do_not_exist_and_unknown_models_are_wrong_calls(
    medcam: Callable[..., Ended], tmp_path: Path
) -> None:
    assert medcam("annotate", tmp_path / "nowhere", "--out", tmp_path / "out").code == 2
    (tmp_path / "films").mkdir()
    ended = medcam("annotate", tmp_path / "films", "--out", tmp_path / "out", "--model", "no such model")
    assert ended.code == 2
    assert "no-such-model" in ended.err
    assert not (tmp_path / "out").exists()


def test_ctrl_c_and_sigterm_say_how_to_go_on(medcam: Callable[..., Ended], job: Job) -> None:
    handler = signal.getsignal(signal.SIGTERM)
    job.failure = KeyboardInterrupt()
    ended = medcam("annotate", "films", "--out", "out")
    assert ended.code == 130
    assert "the same command again" in ended.err

    class Kills(Job):
        def __call__(self, *arguments: object) -> Manifest:
            os.kill(os.getpid(), signal.SIGTERM)
            raise AssertionError("SIGTERM did not stop the run")

    service.annotate = Kills()  # type: ignore[assignment]  # undone by the fixture
    assert medcam("annotate", "films", "--out", "out").code == 143
    assert signal.getsignal(signal.SIGTERM) is handler
