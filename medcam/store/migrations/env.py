"""What Alembic runs around the steps: the connection and its transaction are those of `medcam.store.migrate`."""

from alembic import context

from medcam.store.schema import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # SQLite can take back a change of its tables too, once a transaction was begun by hand.
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
