"""Alembic's entry: uses the connection the runner hands over."""

from alembic import context

from l2c.state.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="l2c_schema",
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
