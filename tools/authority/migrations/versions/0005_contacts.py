"""Uploads and lists of two kinds: of the ill (1), as all before, and of contacts whom a list warned (2)."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    for table in ("uploads", "lists", "releases"):
        op.add_column(table, sa.Column("kind", sa.Integer, nullable=False, server_default="1"))
    op.add_column("uploads", sa.Column("until_s", sa.BigInteger))
    op.add_column("lists", sa.Column("contacts", sa.Boolean, nullable=False, server_default=sa.false()))
