"""Lists are drafted first, and published when they came back signed: what was drafted, and when it was published."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("lists", sa.Column("digest", sa.LargeBinary(32)))
    op.add_column("lists", sa.Column("published_s", sa.BigInteger))
    op.execute("UPDATE lists SET published_s = issued_s")
