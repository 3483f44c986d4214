"""A whole run on many machines, whose processes this one plays: it writes what a run without a cluster writes."""

from __future__ import annotations

import json
import pickle
import shutil
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fsspec
import pytest

from medcam.core.errors import UsageError
from medcam.dicom.network.security import Security, headers_from_environment
from medcam.service.annotate.manifest import Manifest
from medcam.service.annotate.options import AnnotateOptions, parse_outputs
from medcam.service.annotate.run import annotate
from medcam.service.annotate.several import annotate_with
from medcam.service.cluster import driver, run
from medcam.service.cluster.agreeing import agree
from medcam.service.cluster.blocks import PROCESS_LOST, BlockWorker, MakesWork, Numbered, Pool
from medcam.service.cluster.explaining import Explaining
from medcam.service.cluster.rows import raised, to_text
from medcam.service.cluster.run import annotate_on_ray, annotate_with_on_ray
from medcam.service.cluster.settings import ClusterError, RayOptions
from medcam.service.studies.opened import open_studies
from tests.dicomweb_server import serving_films

LOCAL = RayOptions("local")
SECRET = "Bearer not-told"


def did(worker: BlockWorker, block: Sequence[Numbered]) -> list[Numbered]:
    answers = worker({"index": [number for number, _ in block], "record": [to_text(record) for _, record in block]})
    told = map(json.loads, answers["record"])
    return [(number, raised(record)) for number, record in zip(answers["index"], told, strict=True)]


class Machines:
    """Plays the processes of a cluster: of each job, the one that has the first block is lost when it has done it.

    `killers` are numbers of inputs that no process survives; `sent` is what went to each process.
    """

    def __init__(self) -> None:
        self.killers: set[int] = set()
        self.sent: list[bytes] = []

    def done(self, records: Sequence[Numbered], make: MakesWork, pool: Pool) -> Iterator[Numbered]:
        self.sent.append(pickle.dumps(make))
        if isinstance(make, Explaining):
            yield from ((number, {"kind": PROCESS_LOST}) for number, _ in records if number in self.killers)
            records = [one for one in records if one[0] not in self.killers]
        with closing(BlockWorker(pickle.loads(self.sent[-1]))) as lost:
            did(lost, records[:2])
        with closing(BlockWorker(pickle.loads(self.sent[-1]))) as worker:
            for start in range(0, len(records), 2):
                yield from did(worker, records[start : start + 2])


@pytest.fixture
def machines(monkeypatch: pytest.MonkeyPatch) -> Machines:
    @contextmanager
    def connected(*_: object) -> Iterator[object]:
        yield SimpleNamespace(nodes=lambda: [{"NodeManagerHostname": socket.gethostname(), "Alive": True}])

    played = Machines()
    monkeypatch.setattr(driver, "done_in_blocks", played.done)
    monkeypatch.setattr(run, "connected", connected)
    monkeypatch.setattr(run, "agreed", lambda _ray, models, options, _ray_options: agree(models, options))
    return played


@pytest.fixture
def options(tiny_model_folder: Path) -> AnnotateOptions:
    return AnnotateOptions(model=str(tiny_model_folder), workers=1, engine="torch", outputs=parse_outputs("json,png"))


@pytest.fixture
def models(tiny_model_folder: Path, strict_model_folder: Path) -> list[str]:
    return [str(tiny_model_folder), str(strict_model_folder)]


@pytest.fixture
def films(phantom_dicom: Path, tmp_path: Path) -> Path:
    """Three films, one of them twice, and a broken file."""
    folder = Path(shutil.copytree(phantom_dicom, tmp_path / "films"))
    shutil.copy(folder / "film-0.dcm", folder / "again.dcm")
    (folder / "broken.dcm").write_bytes(b"")
    return folder


def written(out: Path) -> dict[str, Any]:
    """What a run has written, but for times and the bytes of pictures, and without the last digits of numbers."""
    said: dict[str, Any] = {}
    for path in sorted(one for one in out.rglob("*") if one.is_file()):
        name, text = path.relative_to(out).as_posix(), path.read_bytes()
        if path.name == "quarantine.jsonl":
            said[name] = sorted(text.splitlines())
        elif path.name == ".receipt.json":
            said[name] = {**json.loads(text), "explanation": ""}
        else:
            said[name] = without_times(json.loads(text)) if path.suffix == ".json" else path.suffix
    return said


class About(float):
    """A number that is what another batch makes of it."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, float) and abs(self - other) < 0.011  # a contour is rounded to 0.01 pixel

    __hash__ = None  # type: ignore[assignment]


def without_times(content: Any) -> Any:
    if isinstance(content, dict):
        passing = ("created", "started", "finished")
        return {name: without_times(value) for name, value in content.items() if name not in passing}
    if isinstance(content, list):
        return [without_times(one) for one in content]
    return About(content) if isinstance(content, float) else content


def kept(store: Path) -> dict[tuple[str, str], Any]:
    """What a store says of each film by each model, which is once."""
    with closing(open_studies(store, make=False)) as opened:
        said = {}
        for one in opened.films.explanation_ids():
            explanation, film = opened.films.explanation(one) or pytest.fail("it is gone")
            assert (film.id, explanation.card_sha256) not in said
            assert opened.files.has_pixels(film.sha256)
            said[film.id, explanation.card_sha256] = (explanation.request, film.sha256, film.source)
        return said


def reused(manifests: dict[str, Manifest]) -> list[int]:
    return [manifest.reused for manifest in manifests.values()]


def test_several_models_into_a_store(machines, films, models, options, tmp_path):
    wanted, mine = replace(options, store=str(tmp_path / "wanted")), replace(options, store=str(tmp_path / "store"))
    annotate_with(models, [films], tmp_path / "alone", wanted)

    manifests = annotate_with_on_ray(models, [films], tmp_path / "out", mine, LOCAL)

    assert tuple(manifests) == ("tiny", "strict")
    assert written(tmp_path / "out") == written(tmp_path / "alone")
    assert kept(tmp_path / "store") == kept(tmp_path / "wanted")
    assert len(kept(tmp_path / "store")) == 6
    again = annotate_with_on_ray(models, [films], tmp_path / "out", mine, LOCAL)
    assert reused(again) == [3, 3]
    assert kept(tmp_path / "store") == kept(tmp_path / "wanted")

    next((tmp_path / "out" / "strict").glob("*/*/explanation.json")).unlink()
    assert reused(annotate_with_on_ray(models, [films], tmp_path / "out", mine, LOCAL)) == [3, 2]
    elsewhere = replace(mine, store=str(tmp_path / "empty"))
    assert reused(annotate_with_on_ray(models, [films], tmp_path / "out", elsewhere, LOCAL)) == [0, 0]
    assert kept(tmp_path / "empty") == kept(tmp_path / "wanted"), "what a store lacks is not finished"


def test_a_film_that_no_process_survives_is_refused_once_for_each_model(machines, films, models, options, tmp_path):
    machines.killers = {3}

    manifests = annotate_with_on_ray(models, [films], tmp_path / "out", options, LOCAL)

    assert [manifest.counts.quarantined for manifest in manifests.values()] == [2, 2]
    for place in ("", "tiny", "strict"):
        lines = (tmp_path / "out" / place / "quarantine.jsonl").read_text(encoding="utf-8").splitlines()
        assert sorted(json.loads(line)["code"] for line in lines) == ["empty-file", "process-lost"]


def test_several_models_and_one_do_not_share_a_folder(machines, films, models, options, tmp_path):
    annotate_on_ray([films], tmp_path / "out", options, LOCAL)
    with pytest.raises(UsageError) as raised:
        annotate_with_on_ray(models, [films], tmp_path / "out", options, LOCAL)
    assert raised.value.code == "one-model"


def test_several_models_with_films_and_results_in_object_storage(machines, films, models, options, tmp_path):
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    memory.put(f"{films}/", "/archive/films/", recursive=True)
    annotate_with(models, [films], tmp_path / "alone", options)
    asked = replace(options, store=str(tmp_path / "store"))

    annotate_with_on_ray(models, ["memory://archive/films"], "memory://archive/out", asked, LOCAL)

    memory.get("/archive/out/", f"{tmp_path}/out/", recursive=True)
    memory.store.clear()
    assert written(tmp_path / "out") == written(tmp_path / "alone")
    said = kept(tmp_path / "store")
    assert len(said) == 6
    assert {source for _, _, source in said.values()} == {"copy"}, "nobody else can be asked for the file"


def test_images_of_a_service_are_fetched_with_secrets_that_are_not_sent(
    machines, phantom_dicom, options, tmp_path, monkeypatch
):
    monkeypatch.setenv("MEDCAM_DICOMWEB_AUTHORIZATION", SECRET)
    asked = replace(options, security=Security(headers=headers_from_environment()))
    with serving_films(*(path.read_bytes() for path in sorted(phantom_dicom.iterdir()))) as server:
        server.films[next(iter(server.films))] = b"no film"
        search = f"{server.service}/studies/{server.study}"
        annotate([search], tmp_path / "alone", asked)

        manifest = annotate_on_ray([search], tmp_path / "out", asked, LOCAL)

        assert manifest.counts.annotated == 2
        assert written(tmp_path / "out") == written(tmp_path / "alone")
        assert not any(SECRET.encode() in sent for sent in machines.sent)
        monkeypatch.delenv("MEDCAM_DICOMWEB_AUTHORIZATION")
        with pytest.raises(ClusterError) as raised:
            annotate_on_ray([search], tmp_path / "other", asked, LOCAL)
    assert raised.value.code == "machines-differ"
    assert "authorization" in raised.value.message
    assert SECRET not in str(raised.value)
