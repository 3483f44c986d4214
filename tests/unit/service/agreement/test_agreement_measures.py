"""What is measured of answers: alpha, areas by confidence, overlap of regions, groups and changes of mind."""

from __future__ import annotations

import pytest
from agreement_rows import BOX, NO, UNSURE, YES, row

from medcam.core.finding import Point
from medcam.core.review import Answer, MarkedRegion, MarkKind, Phase
from medcam.service.agreement.figures import Doubt


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
