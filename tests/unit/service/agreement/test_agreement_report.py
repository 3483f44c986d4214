"""Which answers count, against what, and who may see it."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import event

from medcam.core.errors import UsageError
from medcam.core.finding import Point
from medcam.core.reader import Role
from medcam.core.review import Answer, MarkedRegion, MarkKind, Phase
from medcam.service.agreement.cases import LeftOut, says_present
from medcam.service.agreement.figures import Doubt
from medcam.service.agreement.judges import judges
from medcam.service.agreement.periods import Unit, period_start, unit_of
from medcam.service.agreement.report import agreement_state, finding_details

YES, NO, UNSURE = Answer.PRESENT, Answer.ABSENT, Answer.UNCERTAIN
BOX = MarkedRegion(MarkKind.BOX, (Point(100, 100), Point(200, 200)))
DAY = 86400.0


def counts(pair):
    return pair.both, pair.first_only, pair.second_only, pair.neither


def row(rows, name):
    [found] = [one for one in rows if one.reader.name == name]
    return found


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


def test_all_readers_have_an_alpha(bench):
    for number in range(4):
        bench.says(number, True)
    bench.answers("ada", {0: YES, 1: YES, 2: NO})
    bench.answers("bob", {0: YES, 1: NO, 2: NO, 3: YES})
    bench.answers("cyd", {0: YES, 1: NO, 2: NO})
    [found] = bench.report().findings

    # Nine paired answers, four of them yes; one film with one against two: 2 * 1 * 2 / 2 = 2.
    assert (found.readers, found.alpha.cases) == (3, 3)
    assert found.alpha.value == pytest.approx(1 - 2 * 8 / (2 * 4 * 5))


def test_confidence_grades_the_model_and_other_readers(bench):
    for number in range(4):
        bench.says(number, number < 2, probability=0.9 - 0.2 * number)
    bench.answers("ada", {0: YES, 1: UNSURE, 2: YES, 3: NO}, confidence={0: 90.0, 1: 50.0, 2: 60.0, 3: 0.0})
    bench.answers("bob", {0: YES, 1: YES, 2: NO, 3: NO})
    details = bench.details()
    ada, [pair] = row(details.with_model, "Ada"), details.between

    assert ada.confidence.area.value == 0.75  # of four pairs of films one is in the wrong order
    assert ada.confidence.area.cases == 4  # uncertain is a grade too
    assert ada.probability.area.value == 1.0
    assert ada.probability.area.cases == 3
    assert pair.first_grades.value == 0.75
    assert pair.second_grades.doubt is Doubt.NO_CASES
    assert row(details.with_model, "Bob").confidence.points == ()


def test_corrected_regions_are_set_beside_the_models(bench):
    for number in range(3):
        bench.says(number, True, box=(100, 100, 100, 100))
    bench.says(3, False, box=(100, 100, 100, 100))
    corrected = MarkedRegion(MarkKind.BOX, (Point(150, 100), Point(250, 200)))
    bench.answers("ada", {0: Answer.WRONG_REGION}, Phase.AIDED, region=corrected)
    bench.answers("ada", {1: Answer.AGREE, 2: Answer.DISAGREE}, Phase.AIDED)
    bench.answers("ada", {3: Answer.MISSED}, Phase.AIDED, region=BOX)
    outline = MarkedRegion(MarkKind.OUTLINE, (Point(100, 100), Point(200, 100), Point(200, 200), Point(100, 200)))
    bench.answers("bob", {3: Answer.MISSED}, Phase.AIDED, region=outline)
    details = bench.details(phase=Phase.AIDED)
    ada, [pair] = row(details.with_model, "Ada"), details.between

    assert ada.overlap.value == pytest.approx(1 / 3, abs=0.01)
    assert ada.overlap.cases == 1  # what the model did not call has no region that was shown
    assert (ada.accepted.value, ada.accepted.cases) == (0.5, 2)
    assert pair.overlap.value == 1.0


def test_films_of_one_patient_are_one_group(bench):
    for number in range(4):
        bench.says(number, True, patient_id=f"P{number // 2}", issuer="site")
    bench.answers("ada", dict.fromkeys(range(4), YES))

    assert bench.report().findings[0].model.percent.groups == 2


def test_what_the_model_changed_is_counted(bench):
    for number, called in enumerate((True, True, True, False, False, True, None, True)):
        bench.says(number, called)
    bench.answers("ada", {0: YES, 1: YES, 2: NO, 3: YES, 4: YES, 5: UNSURE, 6: YES, 7: YES})
    agree, disagree = Answer.AGREE, Answer.DISAGREE
    after = {0: agree, 1: disagree, 2: agree, 3: agree, 4: disagree, 5: agree, 6: UNSURE, 7: UNSURE}
    bench.answers("ada", after, Phase.AIDED)
    [found] = bench.report().changes

    assert (found.kept_with, found.left, found.kept_against, found.joined) == (1, 1, 1, 2)
    assert (found.settled, found.unsettled, found.cases) == (1, 1, 7)
    assert (found.toward.value, found.away.value) == (pytest.approx(2 / 3), 0.5)
    assert bench.details().changes == (found,)


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


@pytest.fixture
def three(bench):
    """Three readers; Ada and Bob share film 1, Bob and Cyd film 2, and only Cyd answers about masses."""
    for number in (1, 2):
        bench.says(number, True)
    bench.says(1, True, finding="Mass")
    bench.answers("ada", {1: YES})
    bench.answers("bob", {1: NO, 2: YES})
    bench.answers("cyd", {2: UNSURE})
    bench.answers("cyd", {1: YES}, finding="Mass")
    return bench


def test_an_auditor_and_an_administrator_see_everybody_by_name(three):
    three.reader("root", Role.ADMIN)
    for viewer in ("auditor", "root"):
        report = three.report(viewer)
        assert [judge.name for judge in report.readers] == ["Ada", "Bob", "Cyd"]
        assert [one.finding for one in report.findings] == ["Mass", "Nodule"]
        assert len(finding_details(three.opened, report, "Nodule").between) == 2


def test_a_reader_sees_their_own_and_others_beside_it_without_a_name(three):
    report = three.report("ada")
    details = finding_details(three.opened, report, "Nodule")

    assert [one.reader.name for one in details.with_model] == ["Ada"]
    assert [(one.first.mine, one.second.name, one.second.label) for one in details.between] == [(True, "", "")]
    assert details.between[0].second.number in (1, 2)
    assert report.findings[0].model.cases == 1
    assert (report.answers, report.films) == (2, 1)  # the answer of another to another film is not even counted
    assert dict(report.left_out) == {}
    assert [one.finding for one in report.findings] == ["Nodule"]
    with pytest.raises(UsageError):
        finding_details(three.opened, report, "Mass")


def test_a_reader_without_answers_sees_nothing(three):
    three.reader("new")

    assert three.report("new").answers == 0


def test_a_pseudonym_is_the_same_each_time_and_its_order_is_not_that_of_joining(bench):
    names = [f"reader{number}" for number in range(8)]
    bench.says(1, True)
    for name in names:
        bench.answers(name, {1: YES})
    orders = []
    for name in names:
        between = bench.details(name).between
        assert between == bench.details(name).between
        assert sorted(one.second.number for one in between) == list(range(1, 8))
        known = judges(bench.readers[name], bench.readers.values()).known
        orders.append([known[bench.readers[other].id].number for other in names if other != name])
    assert any(order != sorted(order) for order in orders)
    assert len({tuple(order) for order in orders}) > 1


def test_the_state_of_the_store_tells_when_a_report_is_old(bench):
    before = agreement_state(bench.opened)
    bench.says(1, True)
    between = agreement_state(bench.opened)
    bench.answers("ada", {1: YES})

    assert len({before, between, agreement_state(bench.opened)}) == 3


def test_a_report_asks_the_store_as_often_for_many_answers_as_for_few(bench):
    asked: list[str] = []
    event.listen(bench.opened.store._engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    numbers = []
    for films in (2, 12):
        for number in range(films):
            bench.says(number, True, box=(0, 0, 50, 50))
        bench.answers("ada", dict.fromkeys(range(films), Answer.WRONG_REGION), Phase.AIDED, region=BOX)
        bench.reader("auditor", Role.AUDITOR)
        asked.clear()
        bench.details(phase=Phase.AIDED)
        numbers.append(sum(one.lstrip().startswith("SELECT") for one in asked))

    assert numbers[0] == numbers[1] <= 6
