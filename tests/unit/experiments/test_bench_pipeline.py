"""How the pipeline is measured."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from medcam.core.errors import UsageError
from medcam.dicom import load_radiograph
from medcam.dicom.sandbox.pool import ReaderPool
from medcam.experiments.bench.pipeline.films import CODECS, make_films, other_uid
from medcam.experiments.bench.pipeline.long_run import LongRun, record
from medcam.experiments.bench.pipeline.meter import STAGES, Cost, stage_costs
from medcam.experiments.bench.pipeline.plan import PipelineSettings, quick_settings
from medcam.experiments.bench.pipeline.results import JSON, OBJECTS, PipelineFigures, Round
from medcam.models.registry import load_model
from medcam.service.annotate.options import AnnotateOptions, Output


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return make_films(tmp_path_factory.mktemp("films"), 10, rendered=CODECS, side=96, workers=1)


def test_films_are_as_many_files_as_asked_for_each_an_object_of_its_own_in_every_codec(films: list[Path]) -> None:
    read = [load_radiograph(path) for path in films]
    assert len({film.identity.sop_instance_uid for film in read}) == 10
    assert len({film.identity.study_instance_uid for film in read}) == 10
    assert [film.attributes["transfer_syntax"] for film in read[:4]] == [
        film.attributes["transfer_syntax"] for film in read[4:8]
    ]
    assert len({film.attributes["transfer_syntax"] for film in read}) == CODECS
    assert (read[0].pixels == read[8].pixels).all()


def test_a_uid_keeps_its_length_and_refuses_what_does_not_fit() -> None:
    assert other_uid("2.25.123456789", 42) == "2.25.123000042"
    for uid, number in (("2.25.123456789", 10**6), ("1.2.345", 1)):
        with pytest.raises(UsageError):
            other_uid(uid, number)


def test_the_stages_cost_something_and_share_out_a_film(films: list[Path], tmp_path: Path) -> None:
    model = load_model("phantom")
    with ReaderPool(1) as readers:
        costs = stage_costs(films[:4], tmp_path, model, AnnotateOptions(outputs=(Output.JSON,)), readers)
    assert tuple(costs) == STAGES
    assert all(cost.wall > 0.0 for cost in costs.values())
    assert sum(cost.processor for cost in costs.values()) > 0.0
    assert len(list(tmp_path.rglob("explanation.json"))) == 4


def test_a_run_is_told_film_by_film(films: list[Path], tmp_path: Path) -> None:
    seen = record(films[:4], tmp_path / "out", "phantom", 2)
    assert len(seen.seconds) == 4
    assert list(seen.seconds) == sorted(seen.seconds)
    assert len(seen.memory) in (0, 4)


def test_growth_is_told_of_tenths_behind_the_first() -> None:
    memory = [10.0] * 10 + [100.0] * 80 + [104.0] * 10
    run = LongRun(tuple(0.5 * place for place in range(1, 101)), tuple(memory))
    assert run.growth == pytest.approx(0.04)
    assert run.seconds_per_file(10) == pytest.approx(0.5)
    assert run.memory_at(100) == 104.0
    assert math.isnan(LongRun((1.0,), ()).growth)
    assert math.isnan(LongRun((1.0,), ()).memory_at(1))


def test_figures_follow_from_what_was_measured() -> None:
    costs = {outputs: dict.fromkeys(STAGES, Cost(share, share)) for outputs, share in ((JSON, 0.02), (OBJECTS, 0.04))}
    rounds = [Round(costs, 100.0, {JSON: json, OBJECTS: 5.0}) for json in (10.0, 12.0, 11.0)]
    long = LongRun(tuple(0.1 * place for place in range(1, 61)), (50.0,) * 60)
    found = PipelineFigures(quick_settings(), {"cores": "2"}, 2, "openvino bf16", rounds, long)
    figures = {one.name: one for one in found.figures}
    assert figures["pipeline-over-engine/json"].value == pytest.approx(0.11)
    assert figures["pipeline-over-engine/json"].baseline == 0.60
    assert figures["pipeline-over-engine/json"].n == 3
    assert figures["pipeline-over-bound/objects"].value == pytest.approx(5.0 / (2 / (7 * 0.04)))
    assert figures["time-per-file/10"].value == pytest.approx(0.1)
    assert figures["rss/60"].value == 50.0
    assert figures["rss-growth"].value == 0.0
    assert found.cost(JSON, STAGES[0]) == pytest.approx((20.0, 20.0))


def test_settings_keep_the_mix_of_codecs() -> None:
    assert PipelineSettings().counts == (10, 100, 1000, 2000)
    assert quick_settings().counts == (10, 60)
    for wrong in ({"round_films": 10}, {"rendered": 0}, {"films": 9}, {"films": 20}, {"rounds": 0}):
        with pytest.raises(UsageError):
            replace(PipelineSettings(), **wrong)  # type: ignore[arg-type]
