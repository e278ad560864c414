"""Runs the steps in `versions/` on the connection, and in the transaction, that asked for it."""

from alembic import context

from rag.storage.tables import Row

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Row.metadata,
    transactional_ddl=True,  # SQLite can; alembic assumes that its driver cannot
    render_as_batch=True,  # SQLite alters a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
