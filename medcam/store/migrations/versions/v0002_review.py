"""Studies and what models say of them, readers and what they answer, the audit trail.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLES = (
    "reviews",
    "readings",
    "assignments",
    "readers",
    "findings",
    "explanations",
    "models",
    "radiographs",
    "studies",
    "audit_head",
    "audit_events",
)


def upgrade() -> None:
    """Makes the tables and their indexes."""
    _studies()
    _radiographs()
    _explanations()
    _readers()
    _reviews()
    _trail()


def downgrade() -> None:
    """Drops the tables, with all that they hold."""
    for table in _TABLES:
        op.drop_table(table)


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)


def _number(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Float, nullable=False)


def _indexes(table: str, **columns: list[str]) -> None:
    for name, indexed in columns.items():
        op.create_index(f"{table}_{name}", table, indexed)


def _studies() -> None:
    op.create_table(
        "studies",
        sa.Column("id", sa.String(16), primary_key=True),
        _text("uid", 128),
        _text("patient_id", 128),
        _text("issuer", 128),
        _text("patient_name", 400),
        _text("accession_number", 64),
        _text("study_date", 8),
        _text("description", 200),
        sa.Column("films", sa.Integer, nullable=False),
        _text("finding", 100),
        sa.Column("probability", sa.Float),
        _number("rank"),
        sa.Column("flagged", sa.Boolean, nullable=False),
        sa.Column("readers_done", sa.Integer, nullable=False),
        _number("received"),
        sa.Column("search", sa.Text, nullable=False),
    )
    _indexes(
        "studies",
        rank=["rank", "id", "received", "readers_done"],
        waiting=["readers_done", "received", "rank"],
        received=["received", "id"],
        date=["study_date", "id"],
        patient=["patient_id", "issuer", "study_date"],
        finding=["finding", "rank"],
    )


def _radiographs() -> None:
    op.create_table(
        "radiographs",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("study_id", sa.String(16), sa.ForeignKey("studies.id"), nullable=False),
        _text("uid", 128),
        _text("sha256", 64),
        sa.Column("source", sa.Text, nullable=False),
        _text("view", 16),
        sa.Column("display", sa.JSON, nullable=False),
        sa.Column("attributes", sa.JSON, nullable=False),
        sa.Column("zones", sa.LargeBinary),
        _number("created"),
    )
    _indexes("radiographs", study=["study_id"], sha256=["sha256"])


def _explanations() -> None:
    op.create_table(
        "models",
        sa.Column("card_sha256", sa.String(64), primary_key=True),
        _text("name", 200),
        _text("version", 64),
        _text("weights_sha256", 64),
        sa.Column("card", sa.Text, nullable=False),
        _number("created"),
    )
    _indexes("models", name=["name", "created"])
    op.create_table(
        "explanations",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("radiograph_id", sa.String(16), sa.ForeignKey("radiographs.id"), nullable=False),
        _text("request", 64),
        sa.Column("card_sha256", sa.String(64), sa.ForeignKey("models.card_sha256"), nullable=False),
        _text("model", 200),
        _text("version", 64),
        _text("weights_sha256", 64),
        _text("method", 64),
        sa.Column("flagged", sa.Boolean, nullable=False),
        _number("rank"),
        _text("sha256", 64),
        sa.Column("content", sa.LargeBinary, nullable=False),
        _number("created"),
        sa.UniqueConstraint("radiograph_id", "request", name="explanations_once_per_request"),
    )
    _indexes("explanations", radiograph=["radiograph_id", "created"])
    op.create_table(
        "findings",
        sa.Column("explanation_id", sa.String(16), sa.ForeignKey("explanations.id"), primary_key=True),
        sa.Column("name", sa.String(100), primary_key=True),
        _number("probability"),
        _number("threshold"),
        _number("margin"),
        sa.Column("present", sa.Boolean),
    )
    _indexes("findings", name=["name", "present"])


def _readers() -> None:
    op.create_table(
        "readers",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        _text("issuer", 200),
        _text("subject", 200),
        _text("name", 200),
        _text("roles", 64),
        sa.Column("everything", sa.Boolean, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        _number("created"),
        sa.UniqueConstraint("issuer", "subject", name="readers_once"),
    )
    op.create_table(
        "assignments",
        sa.Column("reader_id", sa.Integer, sa.ForeignKey("readers.id"), primary_key=True),
        sa.Column("study_id", sa.String(16), sa.ForeignKey("studies.id"), primary_key=True),
        _number("created"),
    )
    _indexes("assignments", study=["study_id"])


def _reviews() -> None:
    op.create_table(
        "reviews",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("study_id", sa.String(16), sa.ForeignKey("studies.id"), nullable=False),
        sa.Column("radiograph_id", sa.String(16), sa.ForeignKey("radiographs.id"), nullable=False),
        sa.Column("explanation_id", sa.String(16), sa.ForeignKey("explanations.id")),
        sa.Column("reader_id", sa.Integer, sa.ForeignKey("readers.id"), nullable=False),
        _text("phase", 8),
        _text("finding", 100),
        _text("answer", 16),
        sa.Column("confidence", sa.Float),
        sa.Column("region", sa.JSON),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("display", sa.JSON, nullable=False),
        sa.Column("seconds", sa.Float),
        _number("created"),
    )
    _indexes(
        "reviews",
        study=["study_id", "reader_id"],
        reader=["reader_id", "created"],
        finding=["finding", "created"],
    )
    op.create_table(
        "readings",
        sa.Column("reader_id", sa.Integer, sa.ForeignKey("readers.id"), primary_key=True),
        sa.Column("study_id", sa.String(16), sa.ForeignKey("studies.id"), primary_key=True),
        _number("begun"),
        sa.Column("done", sa.Float),
        _number("seconds"),
    )
    _indexes("readings", study=["study_id"])


def _trail() -> None:
    op.create_table(
        "audit_events",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        _text("time", 32),
        _text("kind", 32),
        _text("reader", 420),
        _text("study", 16),
        sa.Column("body", sa.Text, nullable=False),
        _text("previous", 64),
        _text("digest", 64),
        _text("signature", 128),
    )
    _indexes(
        "audit_events",
        study=["study", "number"],
        reader=["reader", "number"],
        kind=["kind", "number"],
    )
    head = op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, nullable=False),
        _text("digest", 64),
    )
    # The head stands from the start: two first writers must find a row to wait at.
    op.bulk_insert(head, [{"id": 1, "number": 0, "digest": "0" * 64}])
