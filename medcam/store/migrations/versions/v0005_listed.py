"""An index that holds all by which a page of the worklist is found, so that the studies themselves need not be read.

Revision ID: 0005
Revises: 0004
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the index. That of the search is made beside the steps: it may need somebody with more rights."""
    op.create_index("studies_listed", "studies", ["id", "rank", "received", "study_date", "readers_done"])


def downgrade() -> None:
    """Drops it, and that of the search where there is one."""
    op.execute("DROP INDEX IF EXISTS studies_search")
    op.drop_index("studies_listed", "studies")
