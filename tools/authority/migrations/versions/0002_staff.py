"""Staff, their sessions, and releases that two persons agree on: what the web service needs."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "staff",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(64), unique=True, nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("clinic", sa.Integer, nullable=False),
        sa.Column("password", sa.String(256), nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("locked_until_s", sa.BigInteger, nullable=False),
        sa.Column("disabled", sa.Boolean, nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("token", sa.LargeBinary(32), primary_key=True),
        sa.Column("staff", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
        sa.Column("until_s", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "releases",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("region", sa.Integer, nullable=False),
        sa.Column("scheme", sa.Integer, nullable=False),
        sa.Column("rule", sa.LargeBinary(64), nullable=False),
        sa.Column("proposed_s", sa.BigInteger, nullable=False),
        sa.Column("proposed_by", sa.Integer, sa.ForeignKey("staff.id"), nullable=False),
        sa.Column("approved_s", sa.BigInteger),
        sa.Column("approved_by", sa.Integer, sa.ForeignKey("staff.id")),
        sa.Column("serial", sa.BigInteger),
    )
