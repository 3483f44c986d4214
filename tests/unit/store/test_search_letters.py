"""The index of the search in SQLite: the same answers as without it, kept by whoever writes, never in the way."""

from __future__ import annotations

import random
import sqlite3

import pytest
from sqlalchemy import event, text

from medcam.core.worklist import WorklistQuery
from medcam.service.studies.migrate import SLOW_SEARCH_SQLITE, migrate_store
from medcam.store import AuditTrail, FilmStore, KeptFinding, Worklist, open_store, sqlite_url
from medcam.store import search_letters as letters
from medcam.store.connections import database_engine
from medcam.store.film_rows import searched_text
from medcam.store.migrate import downgrade, upgrade
from medcam.store.schema import StudyRow

from .conftest import sign
from .records import CARD, explanation, film, study

NAMES = (
    *("DOE^JANE", "MÜLLER^ÅSA", "Kim^Chulsoo=金^哲秀=김^철수", "O'BRIEN", 'A"B"C%', "straße_ı", "100%/X"),
    *("İSTANBUL", "x" * 90),
)
TEXTS = (
    *("김", "철수", "김 철수", "müller", "MULLER", "åsa", "asa", "strasse", "straße", "istanbul", "İst", "e_ı"),
    *("%", "_", "0%/", "'", '"', '"b"', 'b"c%', "o'brien", "o'b", "doe jane", "doe  jane", "jane doe", "a\0b"),
    *("doe\0jane", "AND", '" OR "', "*", "x" * 80),
)


@pytest.fixture
def url(tmp_path):
    """SQLite alone."""
    return sqlite_url(tmp_path / "medcam.db")


@pytest.fixture
def named(films):
    """A study for each name."""
    for number, name in enumerate(NAMES):
        films.keep(study(number, patient_name=name), film(number, number), explanation(f"r{number}"), now=float(number))


def found(store, reader, sought: str, **others) -> list[int]:
    page = Worklist(store).page(WorklistQuery(text=sought, **others), reader, now=100.0)
    assert page.total == len(page.lines)
    return [int(line.study.id, 16) for line in page.lines]


def in_index(store, sought: str) -> list[str] | None:
    """Ids that the index gives for a text; None where it is not asked."""
    with store.read() as session:
        asked = letters.found_by_letters(session, sought, most=1000)
        return None if asked is None else sorted(session.scalars(asked))


def put(session, study_id: str, searched: str) -> None:
    """A study without a film, past all that medcam has for it."""
    values = "'', '', '', '', '', '', '', 0, '', NULL, 0, 0, 0, 0"
    row = text(f"INSERT INTO studies VALUES (:id, {values}, :searched)")
    session.execute(row, {"id": study_id, "searched": searched})


def without(store) -> None:
    """Takes the index out of use."""
    with store.begin() as session:
        for statement in letters._STOPPED:
            session.execute(text(statement))


def test_answers_are_the_same_with_and_without_it(store, named, reader):
    chance = random.Random(5)
    parts = []
    for name in NAMES:
        whole = searched_text(study(3, patient_name=name), "")
        for _ in range(12):
            start = chance.randrange(len(whole))
            parts.append(whole[start : start + chance.randrange(1, 9)].lower())
    asked = [*TEXTS, *parts]
    assert sum(in_index(store, one.strip().upper()) is not None for one in asked) > len(asked) // 2
    told = {one: found(store, reader, one) for one in asked}
    assert sum(bool(one) for one in told.values()) > len(asked) // 2
    without(store)

    assert in_index(store, "JANE") is None
    assert told == {one: found(store, reader, one) for one in asked}


def test_a_search_asks_it_and_reads_no_other_study(store, fill, reader):
    fill(30, patient_name="DOE^JANE")
    plans = []

    def explained(connection, _cursor, words, values, *_others):
        if "LIKE" in words and not words.startswith("EXPLAIN"):
            plans.extend(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}", values))

    event.listen(store._engine, "before_cursor_execute", explained)
    assert found(store, reader, f"{7:016x}") == [7]
    assert any("search_letters" in one for one in plans)
    assert not any(one.startswith("SCAN studies") for one in plans)


def test_a_text_that_many_have_is_not_looked_up(store, fill, monkeypatch):
    fill(4, patient_name="DOE^JANE")
    with store.read() as session:
        assert letters.found_by_letters(session, "JANE", most=4) is None
        assert letters.found_by_letters(session, "JANE", most=5) is not None


def test_it_follows_what_is_changed_and_taken_away(store, films, named, reader):
    mass = KeptFinding("Mass", 0.9, 0.5, 2.2, present=True)
    films.keep(study(0, patient_name=NAMES[0]), film(0, 0), explanation("again", mass, created=9.0), now=9.0)
    assert found(store, reader, "mass") == [0]
    with store.begin() as session:
        session.execute(text("UPDATE studies SET search = 'NEW WORDS' WHERE id = :id"), {"id": study(1).id})
        put(session, "before", "A THIRD")
        session.execute(text("UPDATE studies SET id = 'moved' WHERE id = 'before'"))
    assert in_index(store, "MÜLLER") == []
    assert in_index(store, "NEW W") == [study(1).id]
    assert in_index(store, "THIRD") == ["moved"]


def test_what_is_deleted_is_gone_from_it(store):
    with store.begin() as session:
        put(session, "b", "ONE MORE")
        put(session, "a", "ONE WORD")
    with store.begin() as session:
        session.execute(text("DELETE FROM studies WHERE id = 'a'"))
        put(session, "c", "ANOTHER")  # takes the number that is free
    assert in_index(store, "ONE") == ["b"]
    assert in_index(store, "WORD") == []


def test_a_study_that_is_taken_back_is_taken_back_from_it(store):
    def write() -> None:
        with store.begin() as session:
            put(session, "a", "ONE WORD")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write()
    assert in_index(store, "WORD") == []


def test_a_file_that_is_packed_keeps_it(store, films, tmp_path, reader):
    for number in range(6):
        films.keep(
            study(number, patient_name=f"NAME{number}"), film(number, number), explanation(f"r{number}"), now=1.0
        )
    with sqlite3.connect(tmp_path / "medcam.db", isolation_level=None) as raw:
        raw.execute("PRAGMA foreign_keys = OFF")
        raw.execute("DELETE FROM studies WHERE id = ?", (study(2).id,))
        raw.execute("VACUUM")
    raw.close()
    assert [found(store, reader, f"name{number}") for number in (1, 2, 3, 5)] == [[1], [], [3], [5]]


def test_a_store_of_before_gets_it_with_what_it_holds_and_gives_it_back(url):
    engine = database_engine(url)
    upgrade(engine)
    store = open_store(url)
    films = FilmStore(store, AuditTrail(store, sign))
    films.keep_model(CARD, now=0.0)
    films.keep(study(1, patient_name="DOE^JANE"), film(1, 1), explanation("r"), now=1.0)
    downgrade(engine, "0005")
    with store.read() as session:
        assert session.scalar(text("SELECT count(*) FROM sqlite_master WHERE name LIKE 'search%'")) == 0
        assert session.query(StudyRow).count() == 1

    upgrade(engine)
    assert in_index(store, "JANE") == [study(1).id]
    store.close()
    engine.dispose()


@pytest.fixture
def unable(monkeypatch):
    """A library that lacks what the index needs, as those before 3.34 do."""
    monkeypatch.setattr(letters, "_MADE", tuple(one.replace("trigram", "no_such") for one in letters._MADE))
    monkeypatch.setattr(letters, "_TRIED", "SELECT rowid FROM no_such_table")


def test_a_library_that_cannot_keep_it_is_told_and_all_goes_on(url, tmp_path, unable, reader, store, films):
    assert not store.finish()
    assert SLOW_SEARCH_SQLITE in migrate_store(url, None)
    films.keep(study(1, patient_name="DOE^JANE"), film(1, 1), explanation("r"), now=1.0)
    assert in_index(store, "JANE") is None
    assert found(store, reader, "jane") == [1]


def test_another_library_takes_it_out_of_use_and_the_first_makes_it_anew(store, named, reader, url):
    films = FilmStore(store, AuditTrail(store, sign))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(letters, "_TRIED", "SELECT rowid FROM no_such_table")
        open_store(url).close()
        assert in_index(store, "JANE") is None, "whoever has the store open already must not ask it either"
        films.keep(study(40, patient_name="LATE^ONE"), film(40, 40), explanation("late"), now=50.0)
        assert found(store, reader, "late one") == [40]
    open_store(url).close()
    assert in_index(store, "LATE ONE") == [study(40).id]
    assert found(store, reader, "late one") == [40]
    assert SLOW_SEARCH_SQLITE not in migrate_store(url, None)
