"""What is known of creators' contacts, and who read them: owned by the projection `contacts`."""

import sqlalchemy as sa

from kernel.adapters.schema import RowReaders, UtcTime
from services.discovery.tables.columns import text

_READ = sa.MetaData()
CONTACTS = sa.Table(
    "contacts",
    _READ,
    sa.Column("creator_id", sa.Text, primary_key=True),
    sa.Column("verified", sa.Boolean, nullable=False),
    sa.Column("shown", sa.Boolean, nullable=False),
)
"""A row per creator, for everybody: whether its mail address is `verified`, and `shown` to who asks (with consent)."""

CONTACT_STATES = sa.Table(
    "contact_states",
    _READ,
    sa.Column("creator_id", sa.Text, primary_key=True),
    text("state"),
    sa.Column("changed_at", UtcTime, nullable=False),
    sa.Column("readers", RowReaders, nullable=False),
)
"""A row per creator, for itself and staff: `state` is canonical JSON of domain.contact.contact.Contact. No address is here."""

CONTACT_READINGS = sa.Table(
    "contact_readings",
    _READ,
    sa.Column("creator_id", sa.Text, primary_key=True),
    sa.Column("reading", sa.BigInteger, primary_key=True),
    sa.Column("reader_tenant", sa.Text, nullable=False),
    sa.Column("reader", sa.Text, nullable=False),
    text("purpose"),
    text("note"),
    sa.Column("read_at", UtcTime, nullable=False),
    sa.Column("until", UtcTime, nullable=False),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("contact_readings_person", "creator_id", "reader_tenant", "reader"),
)
"""A row per reading, for the creator, for who read, and staff."""
