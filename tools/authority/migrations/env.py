"""Owns how Alembic runs here: on the connection that tools.authority.store hands over. Knows no table."""

from alembic import context

from tools.authority import tables

context.configure(
    connection=context.config.attributes["connection"], target_metadata=tables.metadata, render_as_batch=True
)
context.run_migrations()
