"""How the pipeline is measured."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from medcam.core.errors import MedcamError, UsageError
from medcam.dicom import load_radiograph
from medcam.dicom.sandbox.pool import ReaderPool
from medcam.experiments.bench.performance import pipeline as pipeline_part
from medcam.experiments.bench.performance.plan import quick_plan
from medcam.experiments.bench.pipeline.feed import FilmFeed
from medcam.experiments.bench.pipeline.films import CODECS, DrawnFilms, draw_films, make_films, other_uid
from medcam.experiments.bench.pipeline.long_run import LongRun, follow, long_run
from medcam.experiments.bench.pipeline.meter import STAGES, Cost, stage_costs
from medcam.experiments.bench.pipeline.plan import PipelineSettings, quick_settings
from medcam.experiments.bench.pipeline.results import JSON, OBJECTS, PipelineFigures, Round
from medcam.models.registry import load_model
from medcam.service.annotate.options import AnnotateOptions, Output


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> DrawnFilms:
    return draw_films(tmp_path_factory.mktemp("drawn"), CODECS, side=96, workers=1)


@pytest.fixture(scope="module")
def films(drawn: DrawnFilms, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return make_films(drawn, tmp_path_factory.mktemp("films") / "copies", 10)


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


def test_films_of_a_long_run_are_filled_before_it_comes_to_them_and_deleted_behind_it(
    drawn: DrawnFilms, tmp_path: Path
) -> None:
    feed = FilmFeed(drawn, tmp_path / "long", 100, ahead=6)
    assert [path.stat().st_size > 0 for path in feed.paths] == [True] * 6 + [False] * 94
    for done in range(1, 101):
        feed.finished(done)
        there = [path.is_file() and path.stat().st_size > 0 for path in feed.paths]
        assert all(there[done : done + 6])
        assert not any(there[done + 6 :])
        assert sum(there) < 80
    read = [load_radiograph(path) for path in feed.paths[-9:]]
    assert len({film.identity.sop_instance_uid for film in read}) == 9
    assert (read[0].pixels == read[8].pixels).all()


def test_a_run_is_told_film_by_film(films: list[Path], tmp_path: Path) -> None:
    told: list[tuple[float, float]] = []
    follow(films[:4], tmp_path / "out", "phantom", 2, lambda *seen: told.append(seen))
    seconds = [second for second, _ in told]
    assert len(seconds) == 4
    assert seconds == sorted(seconds)


def test_a_long_run_ends_with_every_film_annotated_or_says_why_not(drawn: DrawnFilms, tmp_path: Path) -> None:
    seen = long_run(FilmFeed(drawn, tmp_path / "long", 60, ahead=48), "phantom", 1)
    assert len(seen.seconds) == 60
    assert len(seen.memory) in (0, 60)
    starved = FilmFeed(drawn, tmp_path / "starved", 12, ahead=0)
    with pytest.raises(MedcamError, match="12 films were to be annotated, and 0 were") as caught:
        long_run(starved, "phantom", 1)
    assert caught.value.code == "bench-run"


def test_growth_is_told_of_tenths_behind_the_first() -> None:
    memory = [10.0] * 10 + [100.0] * 80 + [104.0] * 10
    run = LongRun(tuple(0.5 * place for place in range(1, 101)), tuple(memory))
    assert run.growth == pytest.approx(0.04)
    assert run.seconds_per_file(10) == pytest.approx(0.5)
    assert run.memory_at(100) == 104.0
    assert math.isnan(LongRun((1.0,), ()).growth)
    assert math.isnan(LongRun((1.0,) * 49, (100.0,) * 49).growth)
    assert LongRun((1.0,) * 50, (100.0,) * 50).growth == 0.0
    assert math.isnan(LongRun((1.0,), ()).memory_at(1))


def test_slowing_is_told_by_a_line_through_all_but_the_first_tenth() -> None:
    steady = [0.0] * 100 + [0.2] * 900
    assert LongRun(tuple(math.fsum(steady[: place + 1]) for place in range(1000)), ()).slowing.value == pytest.approx(0)
    slower = [9.0] * 100 + [0.2 * (1 + 0.1 * place / 900) for place in range(900)]
    found = LongRun(tuple(math.fsum(slower[: place + 1]) for place in range(1000)), ()).slowing
    assert found.value == pytest.approx(0.1 / 1.05, rel=0.01)
    assert found.low == pytest.approx(found.value)
    assert found.n == 112
    assert math.isnan(LongRun(tuple(0.1 * place for place in range(1, 61)), ()).slowing.value)


def test_the_page_tells_how_a_run_goes_on_and_of_records_without_it() -> None:
    costs = {outputs: dict.fromkeys(STAGES, Cost(0.1, 0.1)) for outputs in (JSON, OBJECTS)}
    rounds = [Round(costs, 100.0, {JSON: 10.0, OBJECTS: 5.0})]
    long = LongRun(tuple(1.0 + 0.1 * place for place in range(1, 201)), (50.0,) * 200)
    settings = replace(quick_settings(), films=200)
    found = PipelineFigures(settings, {}, 2, "openvino fp32", rounds, long)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline_part, "pipeline_figures", lambda _: found)
        kept = pipeline_part.run(replace(quick_plan(), pipeline=settings))
    page = pipeline_part.section(kept)
    assert "| 10 | 200 | 200 | 50 |" in page
    assert "| 200 | 105 | 100 | 50 |" in page
    rows = {row[0]: row for row in pipeline_part.targets(kept)}
    assert rows["memory from 10 % to 100 % of a run of 200 files"][2:] == ("+0.0 %", "yes, by one measurement")
    assert rows["time per file from 10 % to 100 % of a run of 200 files"][3] == "yes"
    kept["figures"] = [one for one in kept["figures"] if one["name"] != "time-growth"]
    assert pipeline_part.targets(kept)[-1][2:] == ("-", "not measured")


def test_the_quick_page_says_that_there_was_no_long_run() -> None:
    costs = {outputs: dict.fromkeys(STAGES, Cost(0.1, 0.1)) for outputs in (JSON, OBJECTS)}
    plan = quick_plan()
    rounds = [Round(costs, 100.0, {JSON: 10.0, OBJECTS: 5.0})]
    found = PipelineFigures(plan.pipeline, {}, 2, "openvino fp32", rounds, LongRun((), ()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline_part, "pipeline_figures", lambda _: found)
        kept = pipeline_part.run(plan)
    assert "has no long run" in pipeline_part.section(kept)
    assert [row[2:] for row in pipeline_part.targets(kept)[2:]] == [("-", "not measured")] * 2


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
    assert figures["time-growth"].n == 0
    assert found.cost(JSON, STAGES[0]) == pytest.approx((20.0, 20.0))


def test_settings_keep_the_mix_of_codecs() -> None:
    assert PipelineSettings().counts == (10, 100, 1000, 10_000)
    assert quick_settings().counts == (10, 60)
    for wrong in ({"round_films": 10}, {"rendered": 0}, {"films": 9}, {"films": -1}, {"films": 20}, {"rounds": 0}):
        with pytest.raises(UsageError):
            replace(PipelineSettings(), **wrong)  # type: ignore[arg-type]
