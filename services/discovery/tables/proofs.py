"""How the proofs of accounts stand: owned by the projection `proofs`."""

import sqlalchemy as sa

from kernel.adapters.schema import RowReaders, UtcTime
from services.discovery.tables.columns import text

_READ = sa.MetaData()
PROOFS = sa.Table(
    "proofs",
    _READ,
    sa.Column("creator_id", sa.Text, primary_key=True),
    sa.Column("platform", sa.Text, primary_key=True),
    text("state"),
    text("reason"),
    sa.Column("looks", sa.Integer, nullable=False),
    sa.Column("asked_at", UtcTime),
    sa.Column("expires_at", UtcTime),
    sa.Column("changed_at", UtcTime, nullable=False),
    sa.Column("readers", RowReaders, nullable=False),
)
"""A row per creator and platform: the newest code's `state` (asked, looking, missed, accepted), for the creator and staff.

The handle and the code are not here: they are the creator's sealed texts."""
