"""The audit report: what is known is judged by stated rules, what is not is said, and the file stands alone."""

from __future__ import annotations

import json
import re

import pytest
from typer.testing import CliRunner

from medcam.cli.main import app
from medcam.core.errors import UsageError
from medcam.service.annotate.options import AnnotateOptions, Output
from medcam.service.annotate.run import annotate
from medcam.service.phantoms.make_phantoms import make_phantoms
from medcam.service.report.document import Curve, Curves, Document, Forest, Mark, Paragraph, Section, Status, Verdict
from medcam.service.report.html import report_html
from medcam.service.report.inputs import ReportPlan
from medcam.service.report.make import make_report
from medcam.service.report.pdf import report_pdf
from medcam.service.report.sbom import bill_of_materials


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    folder = tmp_path_factory.mktemp("audited") / "films"
    make_phantoms(folder, 8, 77, size=128)
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


@pytest.fixture
def plan(record, films, records, tiny_model_folder):
    return ReportPlan(
        record=str(record / "out"),
        truth=films,
        sources=(str(films),),
        records=records,
        before=str(record / "store"),
        model=str(tiny_model_folder),
    )


@pytest.fixture
def fixed_date(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1767225600")


def statuses(section):
    return [verdict.status for verdict in section.verdicts]


def test_every_section_is_there_and_stands_alone(plan, tmp_path, fixed_date):
    document = make_report(plan, tmp_path / "report.html")
    sections = {section.id: section for section in document.sections}
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    content = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))

    assert document.made == "2026-01-01 00:00 UTC"
    assert not re.search(r"""<(script|link|img)[^>]*(src|href)=["']?https?:""", page)
    assert page.count("data:image/jpeg;base64,") == 6
    assert [section["id"] for section in content["sections"]] == list(sections)
    assert content["performance"]["films"] == 8
    assert content["drift"]["drifted"] == {"attribute": False, "input": False, "score": False, "evidence": False}
    assert sections["integrity"].status is Status.MEETS
    assert all(status is not Status.NOT_ASSESSED for status in statuses(sections["performance"]))
    assert sections["readers"].status is Status.NOT_ASSESSED


def test_records_are_judged_for_the_audited_method_and_model_alone(plan, tmp_path):
    sections = {section.id: section for section in make_report(plan, tmp_path / "report.html").sections}

    assert statuses(sections["sanity"]) == [Status.FAILS, Status.MEETS]
    assert statuses(sections["faithfulness"]) == [Status.MEETS]
    assert sections["shortcuts"].status is Status.NOT_ASSESSED
    assert "of another model" in sections["shortcuts"].blocks[0].text


@pytest.mark.parametrize("suffix", ["html", "pdf"])
def test_the_same_inputs_give_the_same_bytes(plan, tmp_path, fixed_date, suffix):
    written = []
    for name in ("one", "two"):
        make_report(plan, tmp_path / f"{name}.{suffix}")
        written.append((tmp_path / f"{name}.{suffix}").read_bytes())

    assert written[0] == written[1]
    assert len(written[0]) > 20_000


def test_a_store_without_truth_says_what_was_not_assessed(record, tmp_path):
    result = CliRunner().invoke(
        app, ["audit", "report", "--store", str(record / "store"), "--out", str(tmp_path / "deep" / "report.pdf")]
    )

    assert result.exit_code == 0, result.output
    for title in ("Performance", "Localisation", "Shortcuts", "Drift"):
        assert f"{title}: not assessed" in result.stdout
    assert (tmp_path / "deep" / "report.pdf").read_bytes().startswith(b"%PDF")
    assert str(record) not in (tmp_path / "deep" / "report.json").read_text()


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
