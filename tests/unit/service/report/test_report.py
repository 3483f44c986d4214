"""The audit report: what is known is judged by stated rules, what is not is said, and the file stands alone."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from medcam.cli.main import app
from medcam.core.errors import UsageError
from medcam.core.reader import Role
from medcam.core.review import Answer, Phase, Review
from medcam.evaluate.faithfulness.record import FILE_NAME as FAITHFULNESS
from medcam.evaluate.sanity.record import FILE_NAME as SANITY
from medcam.service.annotate.options import AnnotateOptions, Output
from medcam.service.annotate.run import annotate
from medcam.service.evaluation.faithfulness import evaluate_faithfulness, write_faithfulness
from medcam.service.evaluation.sanity import evaluate_sanity, write_sanity
from medcam.service.phantoms.make_phantoms import make_phantoms
from medcam.service.report.document import (
    Command,
    Curve,
    Curves,
    Document,
    Forest,
    Mark,
    Paragraph,
    Section,
    Status,
    Table,
    Verdict,
)
from medcam.service.report.html import report_html
from medcam.service.report.inputs import ReportPlan, gather
from medcam.service.report.make import make_report, report_dict, report_document
from medcam.service.report.pdf import report_pdf
from medcam.service.report.recorded import record_section
from medcam.service.report.sbom import bill_of_materials
from medcam.service.studies.opened import opened_store

FILMS = 8


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    folder = tmp_path_factory.mktemp("audited") / "films"
    make_phantoms(folder, FILMS, 77, size=128)
    return folder


@pytest.fixture(scope="module")
def record(films, tiny_model_folder):
    options = AnnotateOptions(
        model=str(tiny_model_folder),
        outputs=(Output.JSON,),
        workers=1,
        engine="torch",
        store=str(films.parent / "store"),
    )
    annotate([films], films.parent / "out", options)
    return films.parent


@pytest.fixture(scope="module")
def records(record, tiny_model_folder):
    folder = record / "records"
    folder.mkdir()
    digest = json.loads(next((record / "out").glob("*/*/explanation.json")).read_text())["model"]["weights_sha256"]
    rows = [
        {"method": "cam", "test": "cascading", "decides": True, "similarity": {"value": 0.1}, "verdict": "failed"},
        {"method": "cam", "test": "flip", "decides": True, "similarity": {"value": 0.9}, "verdict": "passed"},
        {"method": "guided", "test": "cascading", "decides": True, "similarity": {"value": 0.9}, "verdict": "failed"},
        {"method": "cam", "test": "noise", "decides": False, "similarity": {"value": 0.9}, "verdict": "failed"},
    ]
    (folder / "sanity.json").write_text(json.dumps({"weights_sha256": digest, "rule": "a rule", "rows": rows}))
    (folder / "shortcuts.json").write_text(json.dumps({"weights_sha256": "0" * 64, "erasing": []}))
    curve = {"method": "cam", "finding": "", "fill": "blur", "beyond_random": {"value": 0.2, "low": 0.1, "high": 0.3}}
    (folder / "faithfulness.json").write_text(json.dumps({"weights_sha256": digest, "curves": [curve]}))
    return folder


@pytest.fixture(scope="module")
def plan(record, films, records, tiny_model_folder):
    return ReportPlan(
        record=str(record / "out"),
        truth=films,
        sources=(str(films),),
        records=records,
        before=str(record / "store"),
        model=str(tiny_model_folder),
    )


@pytest.fixture(scope="module")
def inputs(plan):
    return gather(plan)


@pytest.fixture(scope="module")
def document(inputs):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_DATE_EPOCH", "1767225600")
        return report_document(inputs, bill_of_materials())


@pytest.fixture(scope="module")
def sections(document):
    return {section.id: section for section in document.sections}


def statuses(section):
    return [verdict.status for verdict in section.verdicts]


def test_every_section_is_there_and_the_page_stands_alone(inputs, document, sections):
    page = report_html(document)
    content = json.loads(json.dumps(report_dict(inputs, document, bill_of_materials()), allow_nan=False))

    assert document.made == "2026-01-01 00:00 UTC"
    assert not re.search(r"""<(script|link|img)[^>]*(src|href)=["']?https?:""", page)
    assert page.count("data:image/jpeg;base64,") == 6
    assert [section["id"] for section in content["sections"]] == list(sections)
    assert content["performance"]["films"] == FILMS
    assert content["drift"]["drifted"] == {"attribute": False, "input": False, "score": False, "evidence": False}
    assert sections["integrity"].status is Status.MEETS
    assert all(status is not Status.NOT_ASSESSED for status in statuses(sections["performance"]))
    assert sections["readers"].status is Status.NOT_ASSESSED


def test_records_are_judged_for_the_audited_method_and_model_alone(sections):
    assert statuses(sections["sanity"]) == [Status.FAILS, Status.MEETS]
    assert statuses(sections["faithfulness"]) == [Status.MEETS]
    assert sections["shortcuts"].status is Status.NOT_ASSESSED
    assert "of another model" in sections["shortcuts"].blocks[0].text


def test_what_the_commands_write_becomes_tables_charts_and_verdicts(inputs, tiny_model_folder, tmp_path):
    write_faithfulness(
        evaluate_faithfulness(tiny_model_folder, methods=("cam", "guided-backprop"), films=3), tmp_path / FAITHFULNESS
    )
    write_sanity(evaluate_sanity(tiny_model_folder, methods=("guided-backprop", "cam"), films=10), tmp_path / SANITY)
    records = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in tmp_path.glob("*.json")}
    made = {name: record_section(replace(inputs, records=records), name) for name in records}
    tables = {block.caption: block for section in made.values() for block in section.blocks if isinstance(block, Table)}
    charts = [block for section in made.values() for block in section.blocks if isinstance(block, Forest)]

    assert len(made["faithfulness"].verdicts) == 4
    assert {verdict.what.partition(",")[0] for verdict in made["faithfulness"].verdicts} == {"cam"}
    curves = tables["Deletion and insertion: areas under the probability"]
    assert [row[:2] for row in curves.rows][:4] == [
        ("cam", fill) for fill in ("mean", "blur", "noisy-linear", "healthy")
    ]
    assert {row[0] for row in curves.rows[4:]} == {"guided-backprop (control)", "random (control)", "centre (control)"}
    assert re.fullmatch(r"-?\d\.\d\d( \(-?\d\.\d\d to -?\d\.\d\d\))?", curves.rows[0][2])
    assert tables["Change of the logit by erasing"].rows[0][:2] == ("finding", "mean")
    own = tables["Tests of cam, by Spearman correlation with the untouched map"]
    assert [row[0] for row in own.rows] == [
        "layer randomisation", "cascading randomisation", "input noise", "window", "crop", "flip"
    ]  # fmt: skip
    assert own.rows[-1][-1].endswith("does not count")
    assert ("guided-backprop (control)", "failed") in tables["All methods that were tested"].rows
    assert any("as it must" in getattr(block, "text", "") for block in made["sanity"].blocks)
    assert len(charts) == 2
    assert not any(mark.label.startswith("random") for mark in charts[0].marks)
    assert len(made["sanity"].verdicts) == len(own.rows) - 1


def test_the_same_inputs_give_the_same_bytes(inputs, document, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")
    again = report_document(inputs, bill_of_materials())

    assert report_html(again) == report_html(document)
    assert report_pdf(again) == report_pdf(document)


def test_readers_who_disagree_are_told_of_a_store(record, plan, films, tmp_path):
    with opened_store(record / "store") as opened:
        ids = opened.films.explanation_ids()[:2]
        for name, answers in (("ada", (Answer.AGREE, Answer.AGREE)), ("bob", (Answer.AGREE, Answer.DISAGREE))):
            reader = opened.readers.set("local", name, name=name, roles=(Role.READER,), everything=True)
            for one, answer in zip(ids, answers, strict=True):
                kept, film = opened.films.explanation(one)
                opened.reviews.add(
                    Review(
                        study=film.study_id,
                        radiograph=film.id,
                        reader=reader.id,
                        finding=kept.findings[0].name,
                        answer=answer,
                        phase=Phase.AIDED,
                        explanation=one,
                    ),
                    reader,
                )
    document = report_document(gather(ReportPlan(str(record / "store"), truth=films)), bill_of_materials())
    found = {section.id: section for section in document.sections}
    agreement, disagreements = found["readers"].blocks

    assert agreement.caption == "aided answers: 4 by 2 readers on 2 films"
    assert "Open disagreements between readers: 1" in disagreements.caption
    assert disagreements.rows[0][2] == "1 present, 1 absent"
    assert found["integrity"].status is Status.MEETS
    assert "sex" in {verdict.what for verdict in found["subgroups"].verdicts}


def test_a_store_without_truth_says_what_was_not_assessed(record, tmp_path):
    result = CliRunner().invoke(
        app, ["audit", "report", "--store", str(record / "store"), "--out", str(tmp_path / "deep" / "report.pdf")]
    )

    assert result.exit_code == 0, result.output
    for title in ("Performance", "Localisation", "Shortcuts", "Drift"):
        assert f"{title}: not assessed" in result.stdout
    assert (tmp_path / "deep" / "report.pdf").read_bytes().startswith(b"%PDF")
    assert str(record) not in (tmp_path / "deep" / "report.json").read_text()


def test_places_may_be_in_another_file_than_labels(plan, films, inputs):
    found = gather(ReportPlan(plan.record, places=films, model=plan.model))

    assert found.performance is None
    assert found.localisation.findings.keys() == inputs.localisation.findings.keys()
    assert found.localisation.measured_films == inputs.localisation.measured_films


def test_what_was_not_assessed_is_told_with_what_the_report_itself_takes(plan):
    found = gather(ReportPlan(plan.record, model=plan.model))
    made = {section.id: section for section in report_document(found, bill_of_materials()).sections}
    commands = {name: [b.text for b in one.blocks if isinstance(b, Command)] for name, one in made.items()}

    assert "--places" in commands["localisation"][0]
    for name in ("performance", "calibration", "subgroups", "drift"):
        assert commands[name][0].startswith("medcam audit report "), name
    for name in ("faithfulness", "sanity", "shortcuts"):
        assert commands[name][0].startswith(f"medcam evaluate {name} ")
        assert "--records" in made[name].blocks[0].text


def test_other_endings_and_broken_records_are_refused(plan, records, tmp_path):
    with pytest.raises(UsageError) as caught:
        make_report(plan, tmp_path / "report.docx")
    assert caught.value.code == "report-format"
    (tmp_path / "sanity.json").write_text("[]")
    with pytest.raises(UsageError) as caught:
        make_report(ReportPlan(plan.record, records=tmp_path), tmp_path / "report.html")
    assert caught.value.code == "broken-record"


def test_words_are_escaped_and_charts_are_drawn_both_ways():
    forest = Forest("A < B", "AUC", (Mark("<b>", 0.5, 0.4, 0.6), Mark("faint", 0.7, faint=True)), reference=0.5)
    curves = Curves("R", "x", "y", (Curve("one", ((0.0, 0.0), (1.0, 1.0)), ((0.0, 0.1), (0.9, 1.0))),))
    both = Curves("R", "x", "y", (Curve("one", ((0.0, 0.0), (1.0, 1.0))), Curve("</script>", ((0.0, 0.1), (1.0, 1.0)))))
    verdict = Verdict("<i>", Status.FAILS, "1 < 2", "rule & reason")
    section = Section("s", "S & T", (Paragraph("<script>x</script> 폐"), forest, curves, both), (verdict,))
    document = Document("Title <1>", ("line",), "now", (section,))
    page = report_html(document)

    assert "&lt;script&gt;x&lt;/script&gt; 폐" in page
    assert page.count("</script>") == 2
    assert page.count('class="chart"') == 3
    assert report_pdf(document).startswith(b"%PDF")


def test_the_bill_of_materials_names_every_package_with_its_version():
    bill = bill_of_materials()
    parts = {one["name"]: one for one in bill["components"]}

    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert {"numpy", "torch", "pydicom", "reportlab", "plotly"} <= parts.keys()
    assert parts["numpy"]["purl"] == f"pkg:pypi/numpy@{parts['numpy']['version']}"
    assert bill == bill_of_materials()
