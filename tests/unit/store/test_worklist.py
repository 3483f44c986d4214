"""Which studies come, in which order, and which a reader never sees."""

from __future__ import annotations

import pytest

from medcam.core.errors import InvalidValueError
from medcam.core.reader import Role
from medcam.core.review import Phase
from medcam.core.worklist import Order, ReadingState, WorklistQuery
from medcam.store import KeptFinding, Worklist
from medcam.store.film_rows import searched_text

from .records import explanation, film, study


@pytest.fixture
def worklist(store):
    return Worklist(store)


def numbers(page):
    return [int(line.study.id, 16) for line in page.lines]


def test_the_most_urgent_comes_first(worklist, fill, reader):
    fill(5, ranks=lambda n: {0: 3.0, 1: -1.0, 2: 2.0, 3: -2.0, 4: 2.0}[n])
    page = worklist.page(WorklistQuery(), reader, now=10.0)

    assert numbers(page) == [3, 1, 2, 4, 0]
    assert page.total == 5
    assert {line.state for line in page.lines} == {ReadingState.UNREAD}


def test_pages_follow_each_other_without_a_gap(worklist, fill, reader):
    fill(7, ranks=lambda n: -n % 3)
    pages = [worklist.page(WorklistQuery(page=page, size=3), reader, now=10.0) for page in (1, 2, 3, 4)]

    assert [number for page in pages for number in numbers(page)] == numbers(
        worklist.page(WorklistQuery(), reader, now=10.0)
    )
    assert {page.total for page in pages} == {7}


@pytest.mark.parametrize("size", [1, 2, 3, 10])
def test_one_that_has_waited_too_long_comes_first_the_longest_wait_at_the_top(worklist, fill, reader, reviews, size):
    fill(6, ranks=lambda n: -float(n))  # number 5 is the most urgent; numbers 0 to 3 have waited for over 96 s
    reviews.finish(reader, study(1).id, seconds=1.0)
    seen = []
    for page in range(1, 7):
        query = WorklistQuery(longest_wait=96.0, page=page, size=size)
        seen += worklist.page(query, reader, now=100.0).lines

    assert [int(line.study.id, 16) for line in seen] == [0, 2, 3, 5, 4, 1]
    assert [line.overdue for line in seen] == [True] * 3 + [False] * 3


def test_other_orders(worklist, films, reader):
    for number, date in enumerate(("20260103", "", "20260105", "20260101")):
        films.keep(study(number, study_date=date), film(number, number), explanation(f"r{number}"), now=-number)

    def order(order):
        return numbers(worklist.page(WorklistQuery(order=order), reader, now=0.0))

    assert order(Order.RECEIVED) == [3, 2, 1, 0]
    assert order(Order.DATE) == [2, 0, 3, 1]


@pytest.fixture
def three(films):
    names = ("DOE^JANE", "ROE^RICHARD", "MÜLLER^ANNA")
    for number, name in enumerate(names):
        present = KeptFinding("Nodule" if number else "Mass", 0.9, 0.5, 2.2, present=True)
        one = study(number, patient_name=name, patient_id=f"ID_{number}%", study_date=f"2026010{number + 1}")
        films.keep(one, film(number, number), explanation(f"r{number}", present), now=float(number))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        (WorklistQuery(text="doe"), [0]),
        (WorklistQuery(text=" Jane "), [0]),
        (WorklistQuery(text="id_"), [0, 1, 2]),
        (WorklistQuery(text="1%"), [1]),
        (WorklistQuery(text="%_%_%_%_%"), []),
        (WorklistQuery(text="nodule"), [1, 2]),
        (WorklistQuery(text="müller"), [2]),
        (WorklistQuery(text="' OR 1=1 --"), []),
        (WorklistQuery(finding="Mass"), [0]),
        (WorklistQuery(flagged=True), []),
        (WorklistQuery(flagged=False, since="20260102"), [1, 2]),
        (WorklistQuery(until="20260102"), [0, 1]),
    ],
)
def test_what_is_asked_for_is_what_comes(worklist, three, reader, query, found):
    page = worklist.page(query, reader, now=10.0)

    assert numbers(page) == found
    assert page.total == len(found)


def test_how_far_the_reader_is_who_asks(worklist, fill, reader, reviews, readers):
    fill(4)
    bob = readers.set("local", "bob", name="Bob", roles=[Role.READER], everything=True)
    reviews.begin(reader, film(1, 1), Phase.AIDED, None)
    reviews.begin(reader, film(2, 2), Phase.AIDED, None)
    reviews.finish(reader, study(2).id, seconds=3.0)

    def found(state, who=reader):
        return numbers(worklist.page(WorklistQuery(state=state), who, now=10.0))

    assert found(ReadingState.UNREAD) == [0, 3]
    assert found(ReadingState.BEGUN) == [1]
    assert found(ReadingState.DONE) == [2]
    assert found(ReadingState.UNREAD, bob) == [0, 1, 2, 3]
    progress = worklist.progress(reader)
    assert (progress.studies, progress.begun, progress.done) == (4, 2, 1)
    [done] = worklist.page(WorklistQuery(state=ReadingState.DONE), reader, now=10.0).lines
    assert (done.state, done.readers_done) == (ReadingState.DONE, 1)


def test_a_reader_sees_assigned_studies_alone(worklist, fill, readers):
    fill(4)
    bob = readers.set("local", "bob", name="Bob", roles=[Role.READER])
    assert numbers(worklist.page(WorklistQuery(), bob, now=10.0)) == []
    readers.assign(bob, [study(2).id, study(3).id])

    assert numbers(worklist.page(WorklistQuery(longest_wait=0.0), bob, now=10.0)) == [2, 3]
    assert worklist.progress(bob).studies == 2
    assert numbers(worklist.page(WorklistQuery(text=study(1).id), bob, now=10.0)) == []


def test_findings_that_a_choice_can_offer(worklist, three):
    assert worklist.findings() == ["Mass", "Nodule"]


@pytest.mark.parametrize("wrong", [{"page": 0}, {"size": 0}, {"size": 501}, {"longest_wait": -1.0}])
def test_a_page_that_is_none_is_refused(wrong):
    with pytest.raises(InvalidValueError):
        WorklistQuery(**wrong)


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("wait", [None, 96.0])
def test_a_search_that_finds_everything_has_the_order_of_no_search(worklist, fill, reader, monkeypatch, order, wait):
    fill(9, ranks=lambda n: float(-n % 4), patient_id="P", study_date="20260101")

    def pages(text):
        asked = [WorklistQuery(text=text, order=order, longest_wait=wait, page=n, size=4) for n in (1, 2, 3, 4)]
        return [worklist.page(query, reader, now=100.0) for query in asked]

    assert pages("p") == pages("")
    monkeypatch.setattr("medcam.store.worklist.MOST_COUNTED", 5)
    assert [page.lines for page in pages("p")] == [page.lines for page in pages("")]


NAMES = ("DOE^JANE", "MÜLLER^ÅSA", "Kim^Chulsoo=金^哲秀=김^철수", "O'BRIEN", 'A"B"C%', "straße_ı", "İSTANBUL")


@pytest.mark.parametrize(
    "text",
    [
        *("김", "철수", "김 철수", "müller", "muller", "åsa", "straße", "STRASSE", "istanbul", "İst", "e_ı", "c%"),
        *('"b"', "o'brien", "o'b", "e j", "ja", "doe  jane", '" OR "', "*", "/", "x" * 80, "0" * 40),
    ],
)
def test_a_text_finds_the_studies_whose_words_hold_it_in_any_script(worklist, films, reader, text):
    kept = [study(number, patient_name=name) for number, name in enumerate(NAMES)]
    for number, one in enumerate(kept):
        films.keep(one, film(number, number), explanation(f"r{number}"), now=float(number))
    page = worklist.page(WorklistQuery(text=text), reader, now=10.0)

    assert numbers(page) == [n for n, one in enumerate(kept) if text.upper() in searched_text(one, "")]
    assert page.total == len(page.lines)
