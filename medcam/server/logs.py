"""Log lines of long-running commands: one JSON object each, on standard error."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
_TALKATIVE = ("pydicom", "pynetdicom", "highdicom", "urllib3", "uvicorn", "alembic", "sqlalchemy")
"""Libraries whose lines may quote what was received, or say nothing to whoever runs a node."""


class JsonLines(logging.Formatter):
    """Time in UTC, level, what happened, and the values that were given with it."""

    def format(self, record: logging.LogRecord) -> str:
        """One line. Exceptions are told by their type alone: their text may quote patient data."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **{name: value for name, value in vars(record).items() if name not in _STANDARD},
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = record.exc_info[0].__name__
        return json.dumps(line, default=str)


def log_as_json_lines() -> None:
    """Sends medcam's own log to standard error and silences the libraries'."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    own = logging.getLogger("medcam")
    own.handlers[:] = [handler]
    own.setLevel(logging.INFO)
    own.propagate = False
    for name in _TALKATIVE:
        logger = logging.getLogger(name)
        logger.handlers[:] = [logging.NullHandler()]
        logger.propagate = False
