"""What Alembic runs: the revisions, in the transaction of the connection that `Store.migrate` hands over."""

from alembic import context

# SQLite cannot alter most things in place: batch mode copies the table. DDL takes part in transactions on both.
context.configure(
    connection=context.config.attributes["connection"],
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
