"""Indexes for worklists of many thousand studies: how far a reader is, and which explanations are the newest.

Revision ID: 0003
Revises: 0002
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the indexes."""
    op.create_index("readings_progress", "readings", ["reader_id", "done", "study_id"])
    op.create_index("explanations_created", "explanations", ["created", "id"])


def downgrade() -> None:
    """Drops them."""
    op.drop_index("explanations_created", "explanations")
    op.drop_index("readings_progress", "readings")
