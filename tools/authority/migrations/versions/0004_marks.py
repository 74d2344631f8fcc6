"""The household's mark of a published record; those of before had none."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("records", sa.Column("mark", sa.Integer, nullable=False, server_default="0"))
