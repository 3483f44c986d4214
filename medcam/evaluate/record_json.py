"""Records of figures as JSON, and read again: one schema version, fields checked, nothing guessed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from medcam.core.errors import InvalidValueError, UsageError
from medcam.evaluate.agreement_figure import Doubt, Figure

Row = TypeVar("Row")
Record = TypeVar("Record")


def figure_from(values: Mapping[str, Any]) -> Figure:
    """A figure of what `dataclasses.asdict` gave."""
    return Figure(**{**values, "doubt": None if values["doubt"] is None else Doubt(values["doubt"])})


def row_from(kind: type[Row], values: Mapping[str, Any], **readers: Callable[[Any], Any]) -> Row:
    """A row of a record.

    Args:
        kind: A dataclass.
        values: By field; all fields and no other.
        readers: Of fields that are no plain values.

    Raises:
        ValueError: Fields are missing or unknown.
    """
    if {each.name for each in fields(kind)} != values.keys():  # type: ignore[arg-type]
        raise ValueError("fields")
    return kind(**{name: readers.get(name, _same)(value) for name, value in values.items()})


def _same(value: Any) -> Any:  # noqa: ANN401  whatever JSON holds
    return value


def record_from_json(
    text: str, version: str, read: Callable[[dict[str, Any]], Record], code: str, command: str
) -> Record:
    """A record of what its `to_json` gave.

    Args:
        text: JSON.
        version: That `schema_version` has to be.
        read: Makes the record of the other fields.
        code: Of the refusal.
        command: That writes such records.

    Raises:
        UsageError: It is none, or of another version.
    """
    try:
        content = json.loads(text)
        values = dict(content) if content.get("schema_version") == version else {}
        values.pop("schema_version", None)
        return read(values)
    except (KeyError, TypeError, ValueError, AttributeError, InvalidValueError) as error:
        raise UsageError(
            "this is no record that this version can read",
            code=code,
            next_step=f"Make it anew with `medcam evaluate {command} --out FILE`.",
        ) from error
