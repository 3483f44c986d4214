"""Which answers count, against what of the model and of other readers, and over which time."""

from __future__ import annotations

from datetime import date

import pytest
from agreement_rows import BOX, NO, UNSURE, YES, counts
from statements_told import counted

from medcam.core.errors import UsageError
from medcam.core.reader import Role
from medcam.core.review import Answer, Phase
from medcam.service.agreement.cases import LeftOut, says_present
from medcam.service.agreement.figures import Doubt
from medcam.service.agreement.periods import Unit, period_start, unit_of
from medcam.service.agreement.report import agreement_state, finding_details

DAY = 86400.0


def test_an_empty_store_has_an_empty_report(bench):
    report = bench.report()

    assert (report.answers, report.findings, report.changes, dict(report.left_out)) == (0, (), (), {})
    with pytest.raises(UsageError, match="no answers"):
        finding_details(bench.opened, report, "Nodule")


@pytest.mark.parametrize(
    ("answer", "called", "present"),
    [
        (YES, None, True),
        (NO, True, False),
        (UNSURE, True, None),
        (Answer.AGREE, True, True),
        (Answer.AGREE, False, False),
        (Answer.AGREE, None, None),
        (Answer.DISAGREE, True, False),
        (Answer.DISAGREE, False, True),
        (Answer.DISAGREE, None, None),
        (Answer.WRONG_REGION, True, True),
        (Answer.MISSED, False, True),
        (Answer.MISSED, None, True),
    ],
)
def test_presence_follows_from_the_answer_and_the_call(answer, called, present):
    assert says_present(answer, called) is present


def test_a_reader_is_set_beside_the_model(bench):
    for number, called in enumerate((True, True, True, False, False)):
        bench.says(number, called)
    bench.answers("ada", {0: YES, 1: YES, 2: NO, 3: YES, 4: NO})
    report = bench.report()
    [found] = finding_details(bench.opened, report, "Nodule").with_model

    assert counts(found.pair) == (2, 1, 1, 1)
    assert found.pair.kappa.value == pytest.approx((0.6 - 0.52) / 0.48)
    assert found.pair.kappa.doubt is Doubt.FEW
    assert (report.films, report.patients, report.answers) == (5, 5, 5)
    assert (found.reader.name, found.reader.label) == ("Ada", "ada@local")


def test_the_last_answer_counts_and_phases_never_meet(bench):
    bench.says(1, True)
    bench.answers("ada", {1: YES})
    bench.answers("ada", {1: NO})
    bench.answers("ada", {1: Answer.AGREE}, Phase.AIDED)
    blind, aided = bench.report(), bench.report(phase=Phase.AIDED)

    assert counts(blind.findings[0].model) == (0, 0, 1, 0)
    assert dict(blind.left_out) == {LeftOut.CHANGED: 1}
    assert counts(aided.findings[0].model) == (1, 0, 0, 0)
    assert dict(aided.left_out) == {}


def test_what_does_not_count_is_counted(bench):
    bench.says(1, None)
    bench.says(2, True)
    bench.says(3, True, finding="Mass")
    bench.answers("ada", {1: YES, 2: UNSURE, 3: YES})
    report = bench.report()

    assert dict(report.left_out) == {LeftOut.UNCERTAIN: 1, LeftOut.WITHHELD: 1, LeftOut.SILENT: 1}
    assert report.findings[0].model.cases == 0
    assert report.findings[0].model.kappa.doubt is Doubt.NO_CASES


def test_models_are_never_mixed(bench):
    bench.says(1, True)
    bench.says(1, False, model="other")
    bench.answers("ada", {1: YES})
    bench.answers("ada", {1: Answer.AGREE}, Phase.AIDED)
    bench.answers("ada", {1: Answer.AGREE}, Phase.AIDED, model="other")

    assert counts(bench.report().findings[0].model) == (1, 0, 0, 0)
    assert counts(bench.report(model="other").findings[0].model) == (0, 1, 0, 0)
    aided = bench.report(phase=Phase.AIDED)
    assert counts(aided.findings[0].model) == (1, 0, 0, 0)
    assert dict(aided.left_out) == {LeftOut.OTHER_MODEL: 1}
    assert counts(bench.report(phase=Phase.AIDED, model="other").findings[0].model) == (0, 0, 0, 1)


def test_a_blind_answer_stands_beside_the_newest_words_and_an_aided_one_beside_those_it_names(bench):
    bench.says(1, True)
    bench.answers("ada", {1: YES})
    bench.answers("ada", {1: Answer.AGREE}, Phase.AIDED)
    bench.says(1, False)

    assert counts(bench.report().findings[0].model) == (0, 1, 0, 0)
    assert counts(bench.report(phase=Phase.AIDED).findings[0].model) == (1, 0, 0, 0)


def test_readers_are_set_beside_each_other_on_films_in_common(bench):
    for number in range(5):
        bench.says(number, None)  # no call of the model is needed for it
    bench.answers("ada", {0: YES, 1: YES, 2: NO, 3: UNSURE})
    bench.answers("bob", {0: YES, 1: NO, 2: NO, 3: NO, 4: YES})
    bench.answers("cyd", {4: YES})
    details = bench.details()

    pairs = {(one.first.name, one.second.name): counts(one.pair) for one in details.between}
    assert pairs == {("Ada", "Bob"): (1, 1, 0, 1), ("Bob", "Cyd"): (1, 0, 0, 0)}


def test_answers_are_told_by_week_or_by_month(bench):
    bench.now = 1_780_000_000.0  # Thursday, 28 May 2026
    for number in range(4):
        bench.says(number, True)
    for week in range(2):
        bench.answers("ada", {2 * week: YES, 2 * week + 1: NO})
        bench.now += 7 * DAY
    details = bench.details()

    assert details.unit is Unit.WEEK
    assert [one.start for one in details.over_time] == [date(2026, 5, 25), date(2026, 6, 1)]
    assert [counts(one.model) for one in details.over_time] == [(1, 0, 1, 0)] * 2
    bench.now += 200 * DAY
    bench.answers("ada", {0: NO})
    late = bench.details()
    assert late.unit is Unit.MONTH
    assert [one.start for one in late.over_time] == [date(2026, 5, 1), date(2026, 6, 1), date(2026, 12, 1)]
    assert bench.report(since=bench.now).answers == 1


@pytest.mark.parametrize(("days", "unit"), [(0, Unit.WEEK), (120, Unit.WEEK), (121, Unit.MONTH)])
def test_the_span_chooses_the_unit(days, unit):
    assert unit_of([1e9, 1e9 + days * DAY]) is unit
    assert period_start(1_780_000_000.0, unit) == (date(2026, 5, 25) if unit is Unit.WEEK else date(2026, 5, 1))


def test_the_state_of_the_store_tells_when_a_report_is_old(bench):
    before = agreement_state(bench.opened)
    bench.says(1, True)
    between = agreement_state(bench.opened)
    bench.answers("ada", {1: YES})

    assert len({before, between, agreement_state(bench.opened)}) == 3


def test_a_report_asks_the_store_as_often_for_many_answers_as_for_few(bench):
    numbers = []
    for films in (2, 12):
        for number in range(films):
            bench.says(number, True, box=(0, 0, 50, 50))
        bench.answers("ada", dict.fromkeys(range(films), Answer.WRONG_REGION), Phase.AIDED, region=BOX)
        bench.reader("auditor", Role.AUDITOR)
        with counted(bench.opened.store) as asked:
            bench.details(phase=Phase.AIDED)
        numbers.append(sum(one.lstrip().startswith("SELECT") for one in asked))

    assert numbers[0] == numbers[1] <= 6
