"""Notes of what contacts' uploads rest on, and what they are sealed to; of uploads before there are none."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("uploads", sa.Column("link", sa.LargeBinary(32)))
    op.add_column("uploads", sa.Column("rests_on", sa.LargeBinary(80)))
