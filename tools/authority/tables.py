"""Owns the form of the authority's database: codes and uploads, lists, staff, the audit. Knows no rule.

SQLite and PostgreSQL hold the same tables; migrations/ brings an older database to this form.
"""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, LargeBinary, MetaData, String, Table, false

metadata = MetaData()


def _seconds(name: str, **how) -> Column:
    """UTC seconds since 1970."""
    return Column(name, BigInteger, **how)


quotas = Table(
    "quotas",
    metadata,
    Column("clinic", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(16), primary_key=True),
    Column("most", Integer, nullable=False),
)
uploads = Table(
    "uploads",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", LargeBinary(32), unique=True, nullable=False),
    Column("scheme", Integer, nullable=False),
    _seconds("taken_s", nullable=False),
    Column("kind", Integer, nullable=False, server_default="1"),
    _seconds("until_s"),
    _seconds("withdrawn_s"),
    Column("link", LargeBinary(32)),
    Column("rests_on", LargeBinary(80)),
)
codes = Table(
    "codes",
    metadata,
    Column("hash", LargeBinary(32), primary_key=True),
    Column("clinic", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    _seconds("issued_s", nullable=False),
    _seconds("expires_s", nullable=False),
    Column("upload", Integer, ForeignKey("uploads.id")),
)
records = Table(
    "records",
    metadata,
    Column("upload", Integer, ForeignKey("uploads.id"), nullable=False, index=True),
    Column("key", LargeBinary(32), nullable=False),
    Column("first_slot", BigInteger, nullable=False),
    Column("first_index", Integer, nullable=False),
    Column("count", Integer, nullable=False),
    Column("mark", Integer, nullable=False, server_default="0"),
    Column("listed", BigInteger),
)
lists = Table(
    "lists",
    metadata,
    Column("serial", BigInteger, primary_key=True, autoincrement=False),
    Column("scheme", Integer, nullable=False),
    Column("region", Integer, nullable=False),
    _seconds("issued_s", nullable=False),
    Column("records", Integer, nullable=False),
    Column("digest", LargeBinary(32)),
    _seconds("published_s"),
    Column("kind", Integer, nullable=False, server_default="1"),
    Column("contacts", Boolean, nullable=False, server_default=false()),
    Column("ends", Boolean, nullable=False, server_default=false()),
)
certificates = Table(
    "certificates",
    metadata,
    Column("serial", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Integer, nullable=False),
    Column("region", Integer, nullable=False),
    _seconds("until_s", nullable=False),
    _seconds("revoked_s"),
    Column("key", LargeBinary(32)),
)
audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    _seconds("at_s", nullable=False),
    Column("what", String(32), nullable=False),
    Column("count", Integer, nullable=False),
)
staff = Table(
    "staff",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), unique=True, nullable=False),
    Column("role", String(16), nullable=False),
    Column("clinic", Integer, nullable=False),
    Column("password", String(256), nullable=False),
    Column("failures", Integer, nullable=False),
    _seconds("locked_until_s", nullable=False),
    Column("disabled", Boolean, nullable=False),
)
sessions = Table(
    "sessions",
    metadata,
    Column("token", LargeBinary(32), primary_key=True),
    Column("staff", Integer, ForeignKey("staff.id"), nullable=False),
    _seconds("until_s", nullable=False),
)
releases = Table(
    "releases",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("region", Integer, nullable=False),
    Column("scheme", Integer, nullable=False),
    Column("rule", LargeBinary(64), nullable=False),
    _seconds("proposed_s", nullable=False),
    Column("proposed_by", Integer, ForeignKey("staff.id"), nullable=False),
    _seconds("approved_s"),
    Column("approved_by", Integer, ForeignKey("staff.id")),
    Column("serial", BigInteger),
    Column("kind", Integer, nullable=False, server_default="1"),
)
