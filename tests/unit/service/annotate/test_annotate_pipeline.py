"""The run as a pipeline: full batches, bounded queues, pixels let go of, a clean end, the same results as without."""

from __future__ import annotations

import hashlib
import json
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pydicom
import pytest

from medcam.core.radiograph import Radiograph
from medcam.dicom import SourceContext, context_from_dataset, radiograph_from_dataset
from medcam.dicom.read import parse_named
from medcam.models.registry import load_model
from medcam.service.annotate import run as annotate_run
from medcam.service.annotate import stages as annotate_stages
from medcam.service.annotate.options import AnnotateOptions, Output
from medcam.service.annotate.run import annotate
from medcam.service.annotate.stages import Stages
from medcam.service.explain import explain_batch
from medcam.service.explanations.explanation_json import explanation_to_dict
from tests.unit.service.annotate.run_files import edited

BATCH = 4


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annotate_run, "BATCH", BATCH)


@dataclass(frozen=True, eq=False)
class Direct:
    """Reads in this process, and remembers which radiographs are still held by someone."""

    alive: weakref.WeakSet[Radiograph] = field(default_factory=weakref.WeakSet)

    def open(self, data: bytes, name: str) -> SourceContext:
        return context_from_dataset(parse_named(data, name), sha256=hashlib.sha256(data).hexdigest())

    def radiograph(self, data: bytes, name: str) -> Radiograph:
        radiograph = radiograph_from_dataset(parse_named(data, name), sha256=hashlib.sha256(data).hexdigest())
        self.alive.add(radiograph)
        return radiograph


@pytest.fixture
def many(phantom_dicom: Path, tmp_path: Path) -> Path:
    """Each film is a study of its own."""
    folder = tmp_path / "many"
    folder.mkdir()
    original = sorted(phantom_dicom.glob("*.dcm"))[0]
    for number in range(4 * BATCH + 1):
        uids = {"SOPInstanceUID": f"2.25.1{number}", "StudyInstanceUID": f"2.25.2{number}"}
        edited(original, folder / f"film-{number:03d}.dcm", **uids)
    return folder


@pytest.fixture
def plain(options: AnnotateOptions) -> AnnotateOptions:
    return replace(options, outputs=(Output.JSON,))


def test_the_model_is_given_full_batches_across_studies_and_pixels_are_let_go(
    many: Path, tmp_path: Path, plain: AnnotateOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    held: list[int] = []
    asked = annotate_stages.ask
    readers = Direct()

    def spy(films: Any, *args: Any) -> Any:
        sizes.append(len(films))
        held.append(len(readers.alive))
        return asked(films, *args)

    monkeypatch.setattr(annotate_stages, "ask", spy)
    manifest = annotate([many], tmp_path / "out", plain, readers=readers)
    assert manifest.counts.annotated == 4 * BATCH + 1
    assert sizes == [BATCH, BATCH, BATCH, BATCH, 1]
    assert max(held) <= plain.workers


def test_a_slow_disk_holds_back_the_readers(
    many: Path, tmp_path: Path, plain: AnnotateOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, ahead = 0, []
    gate = threading.Event()
    read, write = Stages.open, Stages.write

    def counted(self: Stages, file: Any) -> Any:
        nonlocal opened
        opened += 1
        return read(self, file)

    def slow(self: Stages, film: Any) -> Any:
        gate.wait(0.3)  # the others have time to run ahead, if they could
        gate.set()
        ahead.append(opened - len(ahead))
        return write(self, film)

    monkeypatch.setattr(Stages, "open", counted)
    monkeypatch.setattr(Stages, "write", slow)
    one = replace(plain, workers=1)
    annotate([many], tmp_path / "out", one, readers=Direct())
    queued = 1 + BATCH // 2
    assert max(ahead) <= 2 * queued + 2 * BATCH  # opened and prepared ones, one batch asked about and one gathered


@pytest.mark.parametrize("stage", ["open", "prepare", "ask", "write"])
def test_a_stop_in_any_stage_ends_the_run_and_its_threads(
    many: Path, tmp_path: Path, plain: AnnotateOptions, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    work: Callable[..., Any] = getattr(Stages, stage)
    calls = 0

    def stops(self: Stages, item: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt
        return work(self, item)

    monkeypatch.setattr(Stages, stage, stops)
    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt):
        annotate([many], tmp_path / "out", plain, readers=Direct())
    assert set(threading.enumerate()) <= before
    assert not (tmp_path / "out" / "manifest.json").exists()
    monkeypatch.setattr(Stages, stage, work)
    manifest = annotate([many], tmp_path / "out", plain, readers=Direct())
    assert manifest.counts.annotated == 4 * BATCH + 1


def test_results_are_those_of_the_same_films_without_a_pipeline(
    films: Path, tmp_path: Path, plain: AnnotateOptions
) -> None:
    annotate([films], tmp_path / "out", plain, readers=Direct())
    found = {}
    for path in (tmp_path / "out").rglob("explanation.json"):
        data = json.loads(path.read_text(encoding="utf-8"))
        found[data["source"]["sop_instance_uid"]] = data
    classifier = load_model(plain.model, plain.engine, threads=plain.engine_threads)
    paths = sorted(films.glob("*.dcm"))
    readers = Direct()
    radiographs = [readers.radiograph(path.read_bytes(), path.name) for path in paths]
    zones = [annotate_stages.find_zones(radiograph) for radiograph in radiographs]
    for path, explanation in zip(paths, explain_batch(radiographs, classifier, zones=zones), strict=True):
        mine = json.loads(json.dumps(explanation_to_dict(explanation)))
        theirs = found[str(pydicom.dcmread(path).SOPInstanceUID)]
        for one in (mine, theirs):
            del one["created"]
        assert mine == theirs
