"""The tables, as Python types. Migrations make them; this is what they look like after the last one."""

from medcam.store.schema.base import Base
from medcam.store.schema.films import ExplanationRow, FindingRow, ModelRow, RadiographRow, StudyRow
from medcam.store.schema.jobs import JobRow, JobTurnRow
from medcam.store.schema.readers import AssignmentRow, ReaderRow
from medcam.store.schema.reviews import ReadingRow, ReviewRow
from medcam.store.schema.tokens import ApiTokenRow
from medcam.store.schema.trail import AuditEventRow, AuditHeadRow

__all__ = [
    "ApiTokenRow",
    "AssignmentRow",
    "AuditEventRow",
    "AuditHeadRow",
    "Base",
    "ExplanationRow",
    "FindingRow",
    "JobRow",
    "JobTurnRow",
    "ModelRow",
    "RadiographRow",
    "ReaderRow",
    "ReadingRow",
    "ReviewRow",
    "StudyRow",
]
