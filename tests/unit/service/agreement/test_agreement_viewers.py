"""Who may see whose answers, and by what name."""

from __future__ import annotations

import pytest
from agreement_rows import NO, UNSURE, YES

from medcam.core.errors import UsageError
from medcam.core.reader import Role
from medcam.service.agreement.judges import judges
from medcam.service.agreement.report import finding_details


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
