"""Records of figures as JSON, and read again: one schema version, fields checked, nothing guessed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
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
        readers: Of fields that are no plain values; those of fields that the row does not have are left alone.

    Raises:
        ValueError: Fields are missing or unknown.
    """
    if {each.name for each in fields(kind)} != values.keys():  # type: ignore[arg-type]
        raise ValueError("fields")
    return kind(**{name: readers.get(name, _same)(value) for name, value in values.items()})


def _same(value: Any) -> Any:  # noqa: ANN401  whatever JSON holds
    return value


@dataclass(frozen=True, slots=True)
class RecordFormat:
    """How one kind of record is written, and what is said of a file that is none.

    Args:
        version: That `schema_version` has to be.
        code: Of the refusal.
        command: That writes such records, after `medcam evaluate`.
        named: What such a record is called.
    """

    version: str
    code: str
    command: str
    named: str = "record"

    def as_dict(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """A record's fields as plain values, with the schema's version before them."""
        return {"schema_version": self.version, **values}

    def to_json(self, values: Mapping[str, Any]) -> str:
        """As text."""
        return json.dumps(self.as_dict(values), indent=1, allow_nan=False) + "\n"

    def from_dict(self, content: Mapping[str, Any], read: Callable[[dict[str, Any]], Record]) -> Record:
        """A record of what `as_dict` gave.

        Args:
            content: By field.
            read: Makes the record of the fields without the version.

        Raises:
            UsageError: It is none, or of another version.
        """
        try:
            # What another version wrote is read as nothing, and refused for that.
            values = dict(content) if content.get("schema_version") == self.version else {}
            values.pop("schema_version", None)
            return read(values)
        except (KeyError, TypeError, ValueError, AttributeError, InvalidValueError) as error:
            raise UsageError(
                f"this is no {self.named} that this version can read",
                code=self.code,
                next_step=f"Make it anew with `medcam evaluate {self.command}`.",
            ) from error

    def from_json(self, text: str, read: Callable[[dict[str, Any]], Record]) -> Record:
        """A record of what `to_json` gave; the rest as in `from_dict`."""
        try:
            content = json.loads(text)
        except ValueError:
            content = {}
        return self.from_dict(content, read)
