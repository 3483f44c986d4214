"""The page as a reader meets it, without a browser."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from medcam.core.explanation import ModelReference, OutOfDistribution
from medcam.service.annotate.manifest import Manifest, write_manifest
from medcam.service.annotate.outcomes import Skipped
from medcam.service.annotate.quarantine import QuarantineLog
from medcam.service.review import STORE_VARIABLE, dashboards_folder
from urgency import PAGE_SIZE

NOTICE = "Research use. Not a medical device."


@pytest.fixture
def page(out, monkeypatch):
    """The page of the results folder, not run yet."""
    monkeypatch.setenv(STORE_VARIABLE, str(out))
    return AppTest.from_file(str(dashboards_folder() / "home.py"), default_timeout=60)


def finish(out, **values):
    now = datetime(2026, 1, 1, tzinfo=UTC)
    write_manifest(out, Manifest(ModelReference("tiny", "0.1", ""), {}, {}, now, now, **values))


def html_of(page):
    return "\n".join(element.value for element in page.html)


def words_of(page):
    kinds = (page.error, page.warning, page.info, page.caption, page.subheader, page.markdown)
    return "\n".join(element.value for kind in kinds for element in kind)


def ended_well(page):
    assert [error.message for error in page.exception] == []
    assert NOTICE in html_of(page)
    return page


def worklist(page):
    (films,) = page.sidebar.radio
    return films


def test_a_film_with_its_probability_ledger_zones_and_region(page, out, write_film, film, said):
    write_film(1, film((said("Nodule", 0.9, 0.4, zones=True), said("Pleural Effusion", 0.2))))
    finish(out)

    html = html_of(ended_well(page.run()))

    assert ">0.900<" in html
    assert "SCT 427359005" in html
    # The numbers of the ledger: the bias, and what adds up to the logit of 0.9.
    shown = [float(number.replace("−", "-")) for number in re.findall(r'class="number">([+−]\d+\.\d{3})<', html)]
    bias, positive, negative, logit = shown[:4]
    assert (bias, logit) == (-1.5, 2.197)
    assert bias + positive + negative == pytest.approx(logit, abs=2e-3)
    assert "Evidence per zone" in html
    assert "75 %" in html
    assert "<dd>tiny</dd>" in html
    assert "cd" * 6 in html
    assert len(page.image) == 1
    assert not page.info
    assert not page.warning


def test_films_come_in_the_order_of_urgency_and_the_first_is_open(page, out, write_film, film, said):
    write_film(1, film((said("Nodule", 0.1),)))
    write_film(3, film((said("Mass", 0.95),)))
    write_film(5, film((said("Mass", 0.99, withheld=True),), ood=OutOfDistribution(9.0, 2.0, True)))

    films = worklist(ended_well(page.run()))

    assert films.options == ["**Mass** 0.95", ":orange[Withheld]", "No finding"]
    assert page.subheader[0].value == f"Film {4:016x}"


def test_the_next_film_is_opened_by_the_button_and_by_the_list(page, out, write_film, film, said):
    for number, probability in ((1, 0.9), (3, 0.8), (5, 0.7)):
        write_film(number, film((said("Nodule", probability),)))
    page.run()
    before, after = page.sidebar.button
    assert (before.disabled, after.disabled) == (True, False)

    after.click().run()
    assert page.subheader[0].value == f"Film {4:016x}"

    worklist(page).set_value(f"{5:016x}/{6:016x}").run()
    assert ended_well(page).subheader[0].value == f"Film {6:016x}"
    before, after = page.sidebar.button
    assert (before.disabled, after.disabled) == (False, True)


def test_another_finding_is_chosen(page, out, write_film, film, said):
    write_film(1, film((said("Nodule", 0.9), said("Mass", 0.2, drawn=False))))
    page.run()
    assert len(page.image) == 1

    page.pills[0].set_value("Mass").run()

    assert re.search(r"<tr class=marked><th scope=\"row\">Mass<", html_of(ended_well(page)))
    assert not page.image
    assert "medcam annotate SOURCE --out" in page.code[0].value
    assert "--finding mass" in page.code[0].value
    assert "No region" in words_of(page)


def test_the_worklist_is_narrowed_and_the_open_film_stays(page, out, write_film, film, said):
    write_film(1, film((said("Nodule", 0.9),)))
    write_film(3, film((said("Mass", 0.8),)))
    page.run()

    page.sidebar.text_input[0].set_value("mass").run()
    assert worklist(page).options == ["**Mass** 0.80"]
    assert page.subheader[0].value == f"Film {2:016x}"

    page.sidebar.text_input[0].set_value("no such finding").run()
    assert "No film matches." in words_of(ended_well(page))
    assert not page.sidebar.radio


def test_a_film_out_of_distribution_is_withheld_in_words(page, out, write_film, film, said):
    ood = OutOfDistribution(9.0, 2.0, True)
    write_film(
        1, film((said("Nodule", 0.9, withheld=True),), ood=ood, warnings=("out of distribution: strange", "dim"))
    )

    ended_well(page.run())

    assert "do not rely on its numbers" in page.warning[0].value
    assert "Score 9, flagged over 2." in page.warning[0].value
    assert "withheld" in html_of(page)
    assert "Dim." in words_of(page)
    assert "strange" not in words_of(page)


def test_an_empty_folder_says_how_to_fill_it(page, out):
    ended_well(page.run())

    assert [info.value for info in page.info] == ["This folder holds no annotated film. Write some into it with:"]
    assert page.code[0].value == f"medcam annotate SOURCE --out {out}"


def test_a_missing_folder_is_named_with_its_next_step(page, out):
    out.rmdir()

    ended_well(page.run())

    assert "medcam demo" in page.error[0].value


def test_a_run_under_way_says_so(page, out, write_film, film, said):
    write_film(1, film((said("Nodule", 0.9),)))

    assert "not complete" in ended_well(page.run()).info[0].value


def test_a_run_that_set_everything_aside_says_why(page, out):
    with QuarantineLog(out) as log:
        log.add("b.dcm", "unreadable", "the file cannot be read", "Export it again.")
    finish(out, skipped=(Skipped("c.dcm", "not-frontal", "a lateral film"),), quarantined=1)

    ended_well(page.run())

    assert "Its inputs were set aside" in words_of(page)
    assert [expander.label for expander in page.expander] == ["Run", "Quarantined (1)", "Skipped (1)"]
    assert page.dataframe[0].value["Reason"].tolist() == ["the file cannot be read"]


@pytest.mark.parametrize(
    ("content", "told"),
    [("{", "is damaged"), (None, "schema version"), ("", "is damaged")],
    ids=["torn", "old", "empty"],
)
def test_a_broken_explanation_is_told_and_the_other_films_can_be_read(page, out, write_film, film, said, content, told):
    path = write_film(1, film((said("Nodule", 0.99),))) / "explanation.json"
    write_film(3, film((said("Mass", 0.8),)))
    if content is None:
        document = json.loads(path.read_text())
        content = json.dumps({**document, "schema_version": "9.0"})
    path.write_text(content)
    page.run()

    worklist(page).set_value(f"{1:016x}/{2:016x}").run()
    assert told in ended_well(page).error[0].value

    worklist(page).set_value(f"{3:016x}/{4:016x}").run()
    assert ended_well(page).subheader[0].value == f"Film {4:016x}"
    assert not page.error


def test_a_torn_picture_is_told_and_the_numbers_stay(page, out, write_film, film, said):
    path = write_film(1, film((said("Nodule", 0.9),))) / "overlay-nodule.png"
    path.write_bytes(path.read_bytes()[:30])

    ended_well(page.run())

    assert "no whole picture" in page.error[0].value.replace("\\", "")
    assert ">0.900<" in html_of(page)


def test_a_damaged_record_is_told_and_the_films_stay(page, out, write_film, film, said):
    write_film(1, film((said("Nodule", 0.9),)))
    (out / "manifest.json").write_text("{")

    ended_well(page.run())

    assert "cannot be read" in page.warning[0].value
    assert page.subheader[0].value == f"Film {2:016x}"


def test_many_films_come_in_pages(page, out, write_film, film, said):
    for number in range(PAGE_SIZE + 2):
        write_film(2 * number, film((said("Nodule", 0.9 - number / 100, drawn=False),)))
    page.run()
    assert len(worklist(page).options) == PAGE_SIZE

    # To the last film of the first page, then over its edge.
    last = f"{2 * PAGE_SIZE - 2:016x}/{2 * PAGE_SIZE - 1:016x}"
    worklist(page).set_value(last).run()
    page.sidebar.button[1].click().run()

    assert ended_well(page).subheader[0].value == f"Film {2 * PAGE_SIZE + 1:016x}"
    assert worklist(page).options == ["**Nodule** 0.65", "**Nodule** 0.64"]
