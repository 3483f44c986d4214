"""What all tables have in common.

Times are seconds since 1970-01-01 UTC: a number sorts and compares alike in every database.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import JSON
from sqlalchemy.orm import DeclarativeBase

SHORT_ID = 16
"""Hexadecimal digits of the ids that stand in addresses: the first of a SHA-256."""
DIGEST = 64
"""Hexadecimal digits of a SHA-256."""


class Base(DeclarativeBase):
    """All tables of medcam."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {dict[str, Any]: JSON}
