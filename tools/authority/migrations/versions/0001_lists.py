"""Codes, uploads, lists, certificates and the audit: what the command line needs."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "quotas",
        sa.Column("clinic", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("most", sa.Integer, nullable=False),
    )
    op.create_table(
        "uploads",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("digest", sa.LargeBinary(32), unique=True, nullable=False),
        sa.Column("scheme", sa.Integer, nullable=False),
        sa.Column("taken_s", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "codes",
        sa.Column("hash", sa.LargeBinary(32), primary_key=True),
        sa.Column("clinic", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("issued_s", sa.BigInteger, nullable=False),
        sa.Column("expires_s", sa.BigInteger, nullable=False),
        sa.Column("upload", sa.Integer, sa.ForeignKey("uploads.id")),
    )
    op.create_table(
        "records",
        sa.Column("upload", sa.Integer, sa.ForeignKey("uploads.id"), nullable=False, index=True),
        sa.Column("key", sa.LargeBinary(32), nullable=False),
        sa.Column("first_slot", sa.BigInteger, nullable=False),
        sa.Column("first_index", sa.Integer, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("listed", sa.BigInteger),
    )
    op.create_table(
        "lists",
        sa.Column("serial", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("scheme", sa.Integer, nullable=False),
        sa.Column("region", sa.Integer, nullable=False),
        sa.Column("issued_s", sa.BigInteger, nullable=False),
        sa.Column("records", sa.Integer, nullable=False),
    )
    op.create_table(
        "certificates",
        sa.Column("serial", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Integer, nullable=False),
        sa.Column("region", sa.Integer, nullable=False),
        sa.Column("until_s", sa.BigInteger, nullable=False),
        sa.Column("revoked_s", sa.BigInteger),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at_s", sa.BigInteger, nullable=False),
        sa.Column("what", sa.String(32), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
    )
