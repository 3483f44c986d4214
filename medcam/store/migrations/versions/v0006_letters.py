"""The index of the worklist's search in SQLite.

Revision ID: 0006
Revises: 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TRIGGERS = ("search_added", "search_changed", "search_removed")
_TABLES = ("search_letters", "search_numbers")


def upgrade() -> None:
    """Nothing: it is made beside the steps, since not every library of SQLite can.

    The number keeps older medcams out, which would not notice that their library cannot keep the index.
    """


def downgrade() -> None:
    """Drops it where there is one."""
    if op.get_bind().dialect.name != "sqlite":
        return
    for trigger in _TRIGGERS:
        op.execute(f"DROP TRIGGER IF EXISTS {trigger}")
    for table in _TABLES:
        op.execute(f"DROP TABLE IF EXISTS {table}")
