"""Alembic's entry point: runs the revisions in the transaction of the connection that `Store.migrate` passes on."""

from alembic import context

# Batch mode copies the table, since SQLite cannot alter most things in place. DDL is transactional on both databases.
context.configure(
    connection=context.config.attributes["connection"],
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
