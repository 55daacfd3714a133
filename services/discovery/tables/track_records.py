"""What others saw a creator do: owned by the projection `track_records`."""

import sqlalchemy as sa

from kernel.adapters.schema import RowReaders, UtcTime
from services.discovery.tables.columns import text

_READ = sa.MetaData()
RECORDS = ("contracted", "settled", "cancelled", "findings", "disclosures_missing", "orders")
"""`contracted` counts contracts that run; the first three are stages of work, the others marks."""

CREATOR_WORK = sa.Table(
    "creator_work",
    _READ,
    sa.Column("application_id", sa.Text, primary_key=True),
    sa.Column("creator_id", sa.Text, nullable=False),
    sa.Column("campaign_id", sa.Text, nullable=False),
    sa.Column("brand_id", sa.Text, nullable=False),
    text("application"),
    text("collaboration"),
    sa.Column("readers", RowReaders, nullable=False),
    sa.Index("creator_work_campaign", "campaign_id", "creator_id"),
)
"""A row per application and the collaboration of the same id: how far each came, "" for not yet. For its parties only."""

CREATOR_MARKS = sa.Table(
    "creator_marks",
    _READ,
    sa.Column("mark", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("creator_id", sa.Text, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
)
"""Findings per review, missing labels per look, orders: what others counted for a creator, by what it was counted on."""

CREATOR_RECORDS = sa.Table(
    "creator_records",
    _READ,
    sa.Column("creator_id", sa.Text, primary_key=True),
    *[sa.Column(name, sa.BigInteger, nullable=False) for name in RECORDS],
)
"""Sums over work and marks: counts only, for everybody."""

CREATOR_BRANDS = sa.Table(
    "creator_brands",
    _READ,
    sa.Column("creator_id", sa.Text, primary_key=True),
    sa.Column("brand_id", sa.Text, primary_key=True),
    sa.Column("industry", sa.Text, primary_key=True),
    sa.Column("contracted_at", UtcTime, nullable=False),
)
"""Brands a creator had a contract with, in which category of product, and when the latest was made."""
