"""What the HTTP API needs: tokens, whose job a job is, and whose turn it is.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the tables and the column; jobs that are there already are nobody's."""
    op.add_column("jobs", sa.Column("client", sa.String(200), nullable=False, server_default=""))
    op.create_table(
        "job_turns",
        sa.Column("client", sa.String(200), primary_key=True),
        sa.Column("served", sa.Integer, nullable=False),
    )
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(64), nullable=False, unique=True),
        sa.Column("sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("scopes", sa.String(200), nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("expires", sa.Float),
        sa.Column("revoked", sa.Float),
    )


def downgrade() -> None:
    """Drops them, with all tokens."""
    op.drop_table("api_tokens")
    op.drop_table("job_turns")
    op.drop_column("jobs", "client")
