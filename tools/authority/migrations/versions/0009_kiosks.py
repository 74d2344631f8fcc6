"""Which kiosk a certificate is for, so that a stolen one's can be found; of those before nobody knows."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("certificates", sa.Column("key", sa.LargeBinary(32)))
