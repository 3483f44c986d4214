"""The log of long-running commands."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator

import pytest

from medcam.server.logs import JsonLines, log_as_json_lines


@pytest.fixture
def restored() -> Iterator[None]:
    """Loggers are as they were afterwards."""
    names = ["medcam", "pydicom", "pynetdicom", "uvicorn", "alembic", "sqlalchemy", "highdicom", "urllib3"]
    before = [(log := logging.getLogger(name), log.handlers[:], log.propagate, log.level) for name in names]
    yield
    for log, handlers, propagate, level in before:
        log.handlers[:], log.propagate = handlers, propagate
        log.setLevel(level)


@pytest.mark.usefixtures("restored")
def test_a_line_is_json_with_what_was_given(capsys):
    log_as_json_lines()

    logging.getLogger("medcam.node").warning("job ended", extra={"kind": "send", "how": "retried"})

    [line] = capsys.readouterr().err.splitlines()
    told = json.loads(line)
    assert {key: told[key] for key in ("level", "event", "kind", "how")} == {
        "level": "warning",
        "event": "job ended",
        "kind": "send",
        "how": "retried",
    }
    assert told["time"].endswith("+00:00")


@pytest.mark.usefixtures("restored")
def test_libraries_are_silent_since_they_quote_what_was_received(capsys):
    log_as_json_lines()

    for name in ("pydicom", "pynetdicom.acse", "uvicorn.error", "sqlalchemy.engine"):
        logging.getLogger(name).error("DOE^JANE")

    assert capsys.readouterr().err == ""


def test_an_exception_is_told_by_its_type_alone():
    try:
        raise ValueError("DOE^JANE")
    except ValueError:
        record = logging.LogRecord("medcam", logging.ERROR, __file__, 1, "it failed", None, sys.exc_info())

    line = JsonLines().format(record)

    assert json.loads(line)["exception"] == "ValueError"
    assert "DOE" not in line
