"""The index for the worklist's search in SQLite: which groups of three letters a study has (FTS5, `trigram`).

It says which studies may have a text: all that have it, and some others. Triggers keep it as the studies are, whoever
writes them. It goes by numbers of its own: those that SQLite gives to rows may change when a file is packed.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

from sqlalchemy import Connection, Integer, Select, String, column, func, select, table, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

GROUP = 3
"""Letters in a group: shorter texts are not in the index."""
_MOST_GROUPS = 32
"""Of a longer text the first ones are asked for: FTS5 refuses very long questions, and these leave little already."""
TRIGGERS = ("search_added", "search_changed", "search_removed")
_TAKE_OUT = """INSERT INTO search_letters (search_letters, rowid, search)
    SELECT 'delete', number, old.search FROM search_numbers WHERE study_id = old.id;"""
_PUT_IN = """INSERT INTO search_letters (rowid, search)
    SELECT number, new.search FROM search_numbers WHERE study_id = new.id;"""
_MADE = (
    "CREATE TABLE search_numbers (number INTEGER PRIMARY KEY, study_id VARCHAR(16) NOT NULL UNIQUE)",
    # Without the texts, and without where in a text its groups are: what is found is compared with the study anyway.
    "CREATE VIRTUAL TABLE search_letters USING fts5 "
    "(search, content = '', columnsize = 0, detail = 'none', tokenize = 'trigram')",
    "INSERT INTO search_numbers (study_id) SELECT id FROM studies",
    "INSERT INTO search_letters (rowid, search) "
    "SELECT number, search FROM search_numbers JOIN studies ON studies.id = study_id",
    "CREATE TRIGGER search_added AFTER INSERT ON studies BEGIN "  # noqa: S608  our own statements
    f"INSERT INTO search_numbers (study_id) VALUES (new.id); {_PUT_IN} END",
    "CREATE TRIGGER search_changed AFTER UPDATE OF id, search ON studies BEGIN "  # noqa: S608  our own statements
    f"{_TAKE_OUT} UPDATE search_numbers SET study_id = new.id WHERE study_id = old.id; {_PUT_IN} END",
    "CREATE TRIGGER search_removed AFTER DELETE ON studies BEGIN "  # noqa: S608  our own statements
    f"{_TAKE_OUT} DELETE FROM search_numbers WHERE study_id = old.id; END",
)
_TRIED = "SELECT rowid FROM search_letters LIMIT 0"
_STOPPED = tuple(f"DROP TRIGGER IF EXISTS {name}" for name in TRIGGERS)
_DROPPED = (*_STOPPED, "DROP TABLE IF EXISTS search_letters", "DROP TABLE IF EXISTS search_numbers")
_KEPT = text("SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'studies'")

_numbers = table("search_numbers", column("number", Integer), column("study_id", String))
_letters = table("search_letters", column("rowid", Integer))


def index_letters(connection: Connection) -> bool:
    """Makes the index where it is missing; takes it out of use where this SQLite cannot keep it.

    Args:
        connection: To SQLite, in a transaction that writes. It goes on whatever comes of this.

    Returns:
        Whether a search has what it needs now.
    """
    kept = connection.scalar(_KEPT) == len(TRIGGERS)
    # What was not kept for a while is made anew.
    wanted = (_TRIED,) if kept else (*_DROPPED, *_MADE)
    try:
        with connection.begin_nested():
            for statement in wanted:
                connection.exec_driver_sql(statement)
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        # With a library that lacks the module or its groups, the triggers would refuse every new study.
        for statement in _STOPPED:
            connection.exec_driver_sql(statement)
        return False
    return True


def found_by_letters(session: Session, sought: str, most: int) -> Select[Any] | None:
    """Ids of a few studies, among which are all that have a text.

    Args:
        session: Of SQLite; reads.
        sought: The text, in capital letters.
        most: As many are not few.

    Returns:
        The ids, as a question; None where the text is too short, the index is not kept, or there would be too many.
    """
    # SQLite's texts end where this character is.
    if len(sought) < GROUP or "\0" in sought or session.scalar(_KEPT) != len(TRIGGERS):
        return None
    groups = dict.fromkeys(sought[start : start + GROUP] for start in range(len(sought) - GROUP + 1))
    asked = " AND ".join('"' + group.replace('"', '""') + '"' for group in islice(groups, _MOST_GROUPS))
    numbers = select(_letters.c.rowid).where(column("search_letters", is_literal=True).op("MATCH")(asked))
    if (session.scalar(select(func.count()).select_from(numbers.limit(most).subquery())) or 0) >= most:
        return None
    return select(_numbers.c.study_id).where(_numbers.c.number.in_(numbers))
