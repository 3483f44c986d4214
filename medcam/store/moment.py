"""What a thread reads at one moment: one state of the database, one transaction, and no question asked twice."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

Answer = TypeVar("Answer")


class Moment:
    """One state of the database, as one thread sees it. It begins with the first question.

    Args:
        opens: Opens a session that only reads.
    """

    def __init__(self, opens: Callable[[], Session]) -> None:
        self._opens = opens
        self._session: Session | None = None
        self._answers: dict[Hashable, object] = {}
        self._uses = 0
        self._over = False

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """The session of this moment. Whoever is at it reads on in its state, even where it is ended meanwhile."""
        if self._session is None:
            self._session = self._opens()
        self._uses += 1
        try:
            yield self._session
        finally:
            self._uses -= 1
            if self._over:
                self.end()

    def answered(self, question: Hashable, answer: Callable[[Session], Answer]) -> Answer:
        """The answer to a question, asked once: in one state of the database it stays the same."""
        if self._over or question not in self._answers:
            with self.reading() as session:
                found = answer(session)
            if self._session is not None:
                self._answers[question] = found
            return found
        return self._answers[question]  # type: ignore[return-value]  # what this question's `answer` gave

    def end(self) -> None:
        """Lets the state go: what is read after this is of a later one."""
        self._answers.clear()
        self._over = self._uses > 0
        if self._over or self._session is None:
            return
        session, self._session = self._session, None
        # Committed, although there is nothing to keep: drivers forget prepared statements where they roll back.
        with contextlib.suppress(SQLAlchemyError):
            session.commit()
        session.close()


class CurrentMoment(threading.local):
    """The moment of each thread; None where it reads each time what is there then."""

    moment: Moment | None = None
