"""What a store remembers stays what it was, and is bounded."""

from __future__ import annotations

from medcam.core.remembered import Remembered
from medcam.core.review import Phase
from medcam.core.worklist import ReadingState, WorklistQuery
from medcam.store import Worklist

from .records import explanation, film, study


def test_what_was_not_asked_for_longest_is_forgotten():
    remembered = Remembered(2)
    remembered.keep("a", 1)
    remembered.keep("b", 2)
    assert remembered.get("a") == 1
    remembered.keep("c", 3)

    assert [remembered.get(key) for key in "abc"] == [1, None, 3]


def test_a_new_explanation_is_seen_beside_those_that_are_remembered(films):
    films.keep(study(0), film(0), explanation("first", created=1.0), now=0.0)
    [first] = films.explanations(film(0).id)
    films.keep(study(0), film(0), explanation("second", created=2.0), now=0.0)
    second, again = films.explanations(film(0).id)

    assert again is first
    assert (first.request, second.request) == ("first", "second")
    assert films.model(first.card_sha256) is films.model(first.card_sha256)
    assert films.model("d" * 64) is None


def test_many_studies_that_a_reader_is_done_with_come_in_the_order_of_urgency(
    store, fill, reader, reviews, monkeypatch
):
    monkeypatch.setattr("medcam.store.worklist.MOST_COUNTED", 4)
    fill(9, ranks=lambda n: float(-n % 5))
    for number in range(7):
        reviews.begin(reader, film(number, number), Phase.AIDED, None)
        reviews.finish(reader, study(number).id, 1.0)
    worklist = Worklist(store)

    def found(page):
        query = WorklistQuery(state=ReadingState.DONE, longest_wait=1.0, page=page, size=3)
        return [int(line.study.id, 16) for line in worklist.page(query, reader, now=100.0).lines]

    assert [found(page) for page in (1, 2, 3)] == [[0, 5, 4], [3, 2, 1], [6]]
