"""The first schema."""

from alembic import op

from l2c.state.tables import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "run",
    "cursor",
    "inbox",
    "stream",
    "journal",
    "record",
    "view",
    "key_mapping",
    "distribution",
    "mapping_version",
    "mapping_in_force",
    "intent",
    "dead_letter",
    "document_link",
    "lease",
    "sweep_key",
    "watched",
    "audit",
)


def upgrade() -> None:
    """Create every table."""
    metadata.create_all(op.get_bind(), tables=[metadata.tables[name] for name in TABLES])


def downgrade() -> None:
    """Drop every table."""
    metadata.drop_all(op.get_bind(), tables=[metadata.tables[name] for name in TABLES])
