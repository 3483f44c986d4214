"""The store of the load test, its figures and its page, from what would have been met."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from medcam.core.errors import UsageError
from medcam.core.study import Study
from medcam.core.worklist import ReadingState, WorklistQuery
from medcam.experiments.bench.dashboard.figures import memory_figures, waiting_figures
from medcam.experiments.bench.dashboard.load import LoadRecord
from medcam.experiments.bench.dashboard.page import page_of
from medcam.experiments.bench.dashboard.plan import BenchPlan
from medcam.experiments.bench.dashboard.queries import Question, answer_all, questions
from medcam.experiments.bench.dashboard.rows import ISSUER, Filling, reader_name
from medcam.experiments.bench.dashboard.run import DashboardBench, Measured
from medcam.service.studies.opened import opened_store
from medcam.store import KeptExplanation, KeptFinding, KeptModel, KeptRadiograph, pack_content
from medcam.store.dump import dump_rows, load_rows

NOW = 1_000_000_000.0
CARD = KeptModel("c" * 64, "tiny", "1", "w" * 64, "{}")


@pytest.fixture
def templates(tmp_path):
    with opened_store(tmp_path / "one") as opened:
        opened.films.keep_model(CARD, 0.0)
        for number, name in enumerate(("Nodule", "Mass")):
            film = KeptRadiograph(f"{number:016x}", "s" * 16, f"1.2.{number}", f"{number:064x}", "", "PA", {}, {})
            said = KeptExplanation(
                *("r", CARD.card_sha256, "tiny", "1", "w" * 64, "cam"),
                flagged=False,
                rank=-1.0,
                findings=(KeptFinding(name, 0.9, 0.5, 2.0, present=True),),
                packed=pack_content(json.dumps({"number": number}).encode()),
            )
            opened.films.keep(Study(id="s" * 16, uid="1.2"), film, said, 0.0)
        with opened.store.read() as session:
            return {
                name: list(dump_rows(session, name)) for name in ("models", "radiographs", "explanations", "findings")
            }


@pytest.fixture
def filled(templates, tmp_path):
    with opened_store(tmp_path / "many") as opened:
        load_rows(opened.store, Filling(templates, studies=400, openable=30, readers=4, now=NOW).tables())
        yield opened


def readers(opened):
    return {reader.subject: reader for reader in opened.readers.all()}


def test_a_filled_store_has_films_backlog_and_archive(filled):
    known = readers(filled)
    assert filled.films.counts() == {"studies": 400, "radiographs": 30, "explanations": 30}
    assert [known[reader_name(number)].everything for number in range(4)] == [True, False, True, False]
    assert {reader.issuer for reader in known.values()} == {ISSUER}
    first = filled.worklist.page(WorklistQuery(longest_wait=86400.0, size=30), known[reader_name(0)], NOW)
    assert {line.state for line in first.lines} == {ReadingState.UNREAD}
    for line in first.lines:
        [film] = filled.films.films(line.study.id)
        [said] = filled.films.explanations(film.id)
        assert [finding.name for finding in said.findings] in (["Nodule"], ["Mass"])
        assert filled.films.explanation(said.id)[0] == said
    done = filled.worklist.progress(known[reader_name(0)]).done
    assert 150 < done < 290
    assert filled.worklist.progress(known[reader_name(1)]).studies == 15 + 370
    assert filled.worklist.progress(known[reader_name(3)]).begun == 0


def test_the_same_seed_fills_the_same_store(templates):
    def rows(seed):
        return list(Filling(templates, studies=50, openable=3, readers=2, now=NOW, seed=seed).tables()["studies"])

    assert rows(1) == rows(1)
    assert rows(1) != rows(2)


def test_questions_are_asked_in_turns_and_the_first_time_does_not_count(filled):
    known = readers(filled)
    asked = questions(filled, {name: known[reader_name(0)] for name in ("veteran", "newcomer", "assigned")}, NOW)
    assert len({one.name for one in asked}) == len(asked)

    answered = answer_all(asked, 2)
    assert [one.name for one in answered] == [one.name for one in asked]
    assert {len(one.seconds) for one in answered} == {2}

    heard = []
    turns = answer_all(tuple(Question(name, "", lambda name=name: heard.append(name)) for name in "ab"), 1)
    assert heard == ["a", "b", "a", "b"]
    assert [one.name for one in turns] == ["a", "b"]


def record(**changes) -> LoadRecord:
    runs = tuple(tuple(("answer", 0.001 * (1 + number % 100), 2048) for number in range(200)) for _ in range(3))
    memory = tuple((done, 200.0 + (10.0 if done < 100 else 0.0)) for done in range(0, 601, 10))
    return replace(LoadRecord(10.0, runs, ((0.004, 900),), (), memory, 12.0), **changes)


def test_figures_of_waiting():
    figures = {figure.name: figure for figure in waiting_figures("rerun", record(errors=("lost",)), 150.0)}

    assert figures["rerun/p95"].value == pytest.approx(95.0, abs=1.0)
    assert (figures["rerun/p95"].baseline, figures["rerun/p95"].n) == (150.0, 600)
    assert figures["rerun/p50"].baseline is None
    assert figures["rerun/rate"].value == 60.0
    assert figures["rerun/errors"].value == 1.0
    assert figures["rerun/errors"].note == "1 x lost"
    assert figures["rerun/processor"].value == 20.0
    assert figures["rerun/film-p95"].value == 4.0


def test_memory_that_grows_is_told_and_the_first_reruns_do_not_count():
    flat = {figure.name: figure for figure in memory_figures("memory", record())}
    assert flat["memory/slope"].value == pytest.approx(0.0, abs=1e-9)
    grows = record(memory=tuple((done, 200.0 + 0.01 * done) for done in range(0, 601, 10)))
    assert memory_figures("memory", grows)[0].value == pytest.approx(10.0)
    [unknown] = memory_figures("memory", record(memory=()))
    assert unknown.n == 0
    assert unknown.note


def bench(slow: float = 1.0, missing: str = "") -> DashboardBench:
    answered = answer_all((Question("default", "the first page", lambda: None),), 3)
    answered = tuple(replace(one, seconds=tuple(0.001 * slow for _ in one.seconds)) for one in answered)
    measured = (Measured("sqlite", "", record(), record(), answered, 1.0),)
    where = {"processor": "a processor", "cores": "2", "system": "Linux", "packages": "streamlit 1"}
    return DashboardBench(BenchPlan(), measured, missing, where, 0.25, "2026-11-26", 90.0, "0.1")


def test_the_page_says_what_was_reached_and_what_was_not(monkeypatch):
    page = page_of(bench(), "medcam bench dashboard --page p.md")
    assert page.count("| yes |") == 3
    assert "not told by 600 reruns" in page
    monkeypatch.setattr("medcam.experiments.bench.dashboard.page._MANY", 1000)
    page = page_of(bench(), "medcam bench dashboard --page p.md")
    assert page.count("| yes |") == 4
    assert "**no**" not in page
    assert "load average" in page
    assert "0.25" in page

    grows = record(memory=tuple((done, 200.0 + 0.1 * done) for done in range(0, 601, 10)))
    growing = replace(bench(), measured=(replace(bench().measured[0], hurried=grows),))
    assert page_of(growing, "medcam bench dashboard").count("**no**") == 1

    page = page_of(bench(slow=80.0, missing="PostgreSQL is not installed"), "medcam bench dashboard")
    assert page.count("**no**") == 1
    assert "not measured" in page
    assert next(figure for figure in bench(missing="x").figures if figure.n == 0).note == "x"


def test_a_plan_is_possible():
    assert BenchPlan().quicker().reruns < BenchPlan().reruns
    for wrong in ({"readers": 0}, {"openable": 0}, {"studies": 10, "openable": 11}):
        with pytest.raises(UsageError):
            BenchPlan(**wrong)
