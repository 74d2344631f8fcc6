"""Uploads that turned out to be a mistake, and since when; of those before none did."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("uploads", sa.Column("withdrawn_s", sa.BigInteger))
