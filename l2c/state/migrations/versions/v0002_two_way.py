"""What two-way flows need: edits of shared fields, births of elements, first meetings, messages received."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add tables and columns."""
    op.add_column("distribution", sa.Column("returned", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("distribution", sa.Column("token", sa.Text(), nullable=True))
    op.create_index(
        "ix_distribution_token",
        "distribution",
        ["token"],
        sqlite_where=sa.text("token IS NOT NULL"),
        postgresql_where=sa.text("token IS NOT NULL"),
    )
    _edits()
    _meetings()
    _messages()


def _edits() -> None:
    op.create_table(
        "field_edit",
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("record", sa.BigInteger(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("entity", "record", "field", name=op.f("pk_field_edit")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "element_origin",
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("record", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("element", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("entity", "record", "path", "element", name=op.f("pk_element_origin")),
        sqlite_with_rowid=False,
    )


def _meetings() -> None:
    op.create_table(
        "match_value",
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("record", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("entity", "rule", "value", "record", name=op.f("pk_match_value")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_match_value_entity_record"), "match_value", ["entity", "record"])
    op.create_table(
        "candidate",
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("native_key", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), server_default="", nullable=False),
        sa.Column("records", sa.Text(), nullable=False),
        sa.Column("mapping", sa.Text(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("other_keys", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("changed_at", sa.BigInteger(), nullable=True),
        sa.Column("read_at", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("entity", "system", "native_key", name=op.f("pk_candidate")),
        sqlite_with_rowid=False,
    )


def _messages() -> None:
    op.create_table(
        "message",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("system", "message_id", name=op.f("uq_message_system")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_message_state_system"), "message", ["state", "system"])


def downgrade() -> None:
    """Take them away again."""
    for table in ("message", "candidate", "match_value", "element_origin", "field_edit"):
        op.drop_table(table)
    op.drop_index("ix_distribution_token", "distribution")
    op.drop_column("distribution", "token")
    op.drop_column("distribution", "returned")
